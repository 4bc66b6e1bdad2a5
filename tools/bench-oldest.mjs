// `npm run bench:oldest [-- PACKAGE... --row TEXT ...]`: the benchmarks against `dist` on the oldest Node that the
// packages support, fetched into a temporary folder. Takes the runner's arguments.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fetchNode, nodeVersions } from './fetch-node.mjs';

const directory = mkdtempSync(join(tmpdir(), 'millrace-node-'));
const node = await fetchNode(nodeVersions[0], directory);
const args = [
  '--expose-gc',
  '--import',
  './benchmarks/harness/strip-types.mjs',
  'benchmarks/run.ts',
];
const { status } = spawnSync(node, [...args, ...process.argv.slice(2)], { stdio: 'inherit' });
rmSync(directory, { recursive: true, force: true });
process.exitCode = status ?? 1;
