// Runs every ```ts fence of the READMEs, the guides and the doc comments as a program of its own, against
// the sources, on the pinned Node. An example asserts its own results with node:assert. A fence opened as
// ```ts no-run (browser-only or needing a service) is type-checked by its readers only, and counted skipped.
import { execFile } from 'node:child_process';
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const only = process.argv[2];
const sources = globSync([
  `packages/${only ?? '*'}/README.md`,
  `packages/${only ?? '*'}/src/**/*.ts`,
  ...(only === undefined ? ['README.md', 'docs/guides/*.md'] : []),
]);

/** The examples of one file: a guide's and the root README's run in the bridge, which sees all packages. */
function examplesOf(file) {
  const text = file.endsWith('.ts')
    ? readFileSync(file, 'utf8').replace(/^ *\* ?/gm, '')
    : readFileSync(file, 'utf8');
  const owner = file.startsWith('packages/') ? file.split('/')[1] : 'bridge';
  const directory = join('packages', owner, 'reports/examples');
  return [...text.matchAll(/```ts([^\n]*)\n([\s\S]*?)```/g)].map((match, index) => ({
    file,
    index,
    directory,
    path: join(directory, `${basename(file)}-${index}-${file.replaceAll(/\W+/g, '-')}.ts`),
    skip: match[1].includes('no-run'),
    code: match[2],
  }));
}

const examples = sources.flatMap(examplesOf);
for (const directory of new Set(examples.map((example) => example.directory))) {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
}
let passed = 0;
let failed = 0;
const queue = examples.filter((example) => !example.skip);
const worker = async () => {
  for (let example = queue.shift(); example !== undefined; example = queue.shift()) {
    writeFileSync(example.path, example.code);
    try {
      await run(process.execPath, ['--conditions=@millrace/source', example.path], {
        timeout: 30_000,
      });
      passed++;
    } catch (error) {
      failed++;
      console.error(`${example.file}, example ${example.index + 1}:\n${error.stderr ?? error}`);
    }
  }
};
await Promise.all([worker(), worker()]);
const skipped = examples.filter((example) => example.skip).length;
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed > 0 ? 1 : 0;
