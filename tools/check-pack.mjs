// `npm run check:pack [-- PACKAGE...]`: packs every public package and uses the tarballs as a stranger would:
// publint, attw, import and require of every export on four versions of Node, strict types on old and new
// TypeScript, and the package's own tests against `dist` on the oldest Node that we support.
// Node and TypeScript come from the registry into a temporary folder, never into the lockfile.
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { canFetchNode, fetchNode, makePackage, nodeVersions, npmInstall } from './fetch-node.mjs';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
/** Each with the oldest module setting that users of it have: CommonJS callers need 5.8. */
const typescripts = [
  { version: '5.2.2', files: ['a.mts'] },
  { version: '5.8.3', files: ['a.mts', 'b.cts'] },
  { version: '6.0.3', files: ['a.mts', 'b.cts'] },
];

const run = promisify(execFile);
const directory = mkdtempSync(join(tmpdir(), 'millrace-pack-'));
let passed = 0;
let failed = 0;
let skipped = 0;

async function check(name, body) {
  try {
    await body();
    passed++;
  } catch (error) {
    failed++;
    console.error(`FAILED ${name}\n${error.stdout ?? ''}${error.stderr ?? error.stack}`);
  }
}

const manifests = readdirSync('packages')
  .map((folder) => ({
    ...JSON.parse(readFileSync(join('packages', folder, 'package.json'), 'utf8')),
    folder,
    cwd: resolve('packages', folder),
  }))
  .filter((manifest) => manifest.private !== true);
const wanted = process.argv.slice(2);
const chosen = manifests.filter(({ folder }) => wanted.length === 0 || wanted.includes(folder));
/** A chosen package's own dependencies among ours must be in the consumer too. */
const packed = manifests.filter(
  (manifest) =>
    chosen.includes(manifest) ||
    chosen.some((other) => manifest.name in { ...other.dependencies, ...other.peerDependencies }),
);

const tarballs = [];
for (const { name, cwd, folder } of packed) {
  if (!existsSync(join(cwd, 'dist'))) throw new Error(`${folder} is not built: npm run build`);
  const { stdout } = await run(
    'npm',
    ['pack', '--silent', '--ignore-scripts', '--pack-destination', directory],
    { cwd },
  );
  const tarball = join(directory, stdout.trim().split('\n').pop());
  tarballs.push(tarball);
  await check(`${name}: publint`, () =>
    run(resolve('node_modules/.bin/publint'), ['--strict'], { cwd }),
  );
  await check(`${name}: attw`, () =>
    run(
      resolve('node_modules/.bin/attw'),
      ['--profile', 'esm-only', '--format', 'ascii', '-q', tarball],
      { cwd: directory },
    ),
  );
}

// The consumer: our tarballs and every optional peer that an export may load.
const consumer = makePackage(join(directory, 'consumer'), { type: 'module' });
const peers = Object.assign({}, ...packed.map((manifest) => manifest.peerDependencies ?? {}));
await npmInstall(
  consumer,
  ...tarballs,
  '@types/node@22.20.5',
  ...Object.entries(peers)
    .filter(([name]) => !name.startsWith('@millrace/'))
    .map(([name, range]) => `${name}@${range}`),
);

/** `browser`-only exports resolve nowhere in Node; a `millrace.browser` list in package.json names them. */
const specifiers = chosen.flatMap((manifest) =>
  Object.keys(manifest.exports)
    .filter((key) => key !== './package.json' && !manifest.millrace?.browser?.includes(key))
    .map((key) => manifest.name + key.slice(1)),
);
const allSpecifiers = chosen.flatMap((manifest) =>
  Object.keys(manifest.exports)
    .filter((key) => key !== './package.json')
    .map((key) => manifest.name + key.slice(1)),
);
for (const [index, specifier] of specifiers.entries()) {
  const empty = `throw new Error('no exports: ${specifier}')`;
  writeFileSync(
    join(consumer, `import-${index}.mjs`),
    `import * as m from '${specifier}';\nif (Object.keys(m).length === 0) ${empty};\n`,
  );
  writeFileSync(
    join(consumer, `require-${index}.cjs`),
    `const m = require('${specifier}');\nif (Object.keys(m).length === 0) ${empty};\n`,
  );
}
const nodes = new Map();
if (canFetchNode) {
  for (const version of nodeVersions) nodes.set(version, await fetchNode(version, directory));
} else skipped += nodeVersions.length * specifiers.length * 2;
for (const [version, node] of nodes) {
  for (const [index, specifier] of specifiers.entries()) {
    for (const file of [`import-${index}.mjs`, `require-${index}.cjs`]) {
      await check(`${specifier}: ${file} on Node ${version}`, async () => {
        const { stderr } = await run(node, [file], {
          cwd: consumer,
          timeout: 60_000,
        });
        const warnings = stderr.split('\n').filter((line) => /warning/i.test(line));
        // Node 20 and 22 say that `require` of a module is experimental; anything else is ours.
        const ours = warnings.filter((line) => !/ExperimentalWarning.*(require|WASI)/.test(line));
        if (ours.length > 0) throw new Error(ours.join('\n'));
      });
    }
  }
}

const imports = allSpecifiers.map((name, i) => `import * as m${i} from '${name}';`).join('\n');
const uses = allSpecifiers.map((_, i) => `export const k${i}: object = m${i};`).join('\n');
writeFileSync(join(consumer, 'a.mts'), `${imports}\n${uses}\n`);
writeFileSync(join(consumer, 'b.cts'), `${imports}\n${uses}\n`);
for (const { version, files } of typescripts) {
  const home = makePackage(join(directory, `typescript-${version}`));
  await npmInstall(home, `typescript@${version}`);
  const config = join(consumer, `tsconfig-${version}.json`);
  writeFileSync(
    config,
    JSON.stringify({
      compilerOptions: {
        strict: true,
        // Our declarations are checked in full; 5.2 is too old for those of @types/node and of the peers.
        skipLibCheck: version.startsWith('5.2'),
        noEmit: true,
        module: 'nodenext',
        target: 'es2022',
        lib: ['es2022', 'esnext.disposable', 'dom'],
        types: ['node'],
      },
      files,
    }),
  );
  await check(`strict types under TypeScript ${version}`, () =>
    run(process.execPath, [join(home, 'node_modules/typescript/bin/tsc'), '-p', config]),
  );
}

// The tests against dist, on the oldest Node.
const oldest = nodes.get(nodeVersions[0]);
if (oldest !== undefined) {
  for (const { name, cwd } of chosen) {
    const report = join(directory, `${name.replaceAll(/\W/g, '-')}.json`);
    let problem;
    await run(
      oldest,
      [
        resolve('node_modules/vitest/vitest.mjs'),
        'run',
        '--reporter=dot',
        '--reporter=json',
        `--outputFile.json=${report}`,
      ],
      {
        cwd,
        // Before the gate's own limit, so that what was printed until then is shown.
        timeout: 900_000,
        env: {
          ...process.env,
          MILLRACE_DIST: '1',
          PATH: `${join(oldest, '..')}:${process.env.PATH}`,
        },
        maxBuffer: 1 << 28,
      },
    ).catch((error) => {
      problem = error;
    });
    const counts = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : undefined;
    passed += counts?.numPassedTests ?? 0;
    skipped += (counts?.numPendingTests ?? 0) + (counts?.numTodoTests ?? 0);
    failed += counts?.numFailedTests ?? 0;
    if (problem !== undefined) {
      if (!(counts?.numFailedTests > 0)) failed++;
      console.error(`FAILED ${name}: tests against dist on Node ${nodeVersions[0]}`);
      console.error(`${problem.stdout}\n${problem.stderr}`.slice(-8000));
    }
  }
}

rmSync(directory, { recursive: true, force: true });
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
