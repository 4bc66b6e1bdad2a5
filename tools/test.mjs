// `npm test`: builds, lints, type-checks and tests everything, then prints the one line that CI reads.
// Counts come from the reports that vitest wrote in this run or that turbo restored for unchanged inputs.
import { existsSync, globSync, readFileSync, rmSync } from 'node:fs';
import { turbo } from './turbo.mjs';

const reports = 'packages/*/reports/vitest*.json';
for (const file of globSync(reports)) rmSync(file);
const status = turbo([
  'build',
  'lint',
  'typecheck',
  'test',
  '--continue',
  '--output-logs=errors-only',
  ...process.argv.slice(2),
]);

let passed = 0;
let failed = 0;
let skipped = 0;
for (const file of globSync(reports)) {
  const report = JSON.parse(readFileSync(file, 'utf8'));
  passed += report.numPassedTests;
  failed += report.numFailedTests;
  skipped += report.numPendingTests + report.numTodoTests;
  // A file that broke before its first test has no failed test of its own, but is a failure.
  for (const suite of report.testResults) {
    if (suite.status === 'failed' && suite.assertionResults.length === 0) failed++;
  }
}
for (const file of globSync('packages/*/vitest.config.ts')) {
  const directory = file.slice(0, -'/vitest.config.ts'.length);
  const hasTests = globSync(`${directory}/test/**/*.test.ts`).length > 0;
  if (hasTests && !existsSync(`${directory}/reports/vitest.json`)) failed++;
}
if (status !== 0 && failed === 0) failed = 1;
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
