// Fetches another version of Node from the registry into a folder outside the project, never into the lockfile.
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The versions that the packages support: the oldest patch of the oldest line, then the newest of each. */
export const nodeVersions = ['20.19.0', '22.23.3', '24.21.0', '26.10.0'];

/** Whether there are packages of all of these versions for this machine. */
export const canFetchNode = ['linux-x64', 'linux-arm64', 'darwin-x64'].includes(
  `${process.platform}-${process.arch}`,
);

/** Installs packages into a folder that has a package.json, from the cache where it can. */
export const npmInstall = (cwd, ...packages) =>
  run(
    'npm',
    [
      'install',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--prefer-offline',
      '--silent',
      '--force',
      '--fetch-retries=5',
      ...packages,
    ],
    { cwd },
  );

/** Makes a folder with an empty private package in it. */
export function makePackage(folder, content = {}) {
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, ...content }));
  return folder;
}

/** Fetches a version into `directory` and returns the path of its program. */
export async function fetchNode(version, directory) {
  const home = makePackage(join(directory, `node-${version}`));
  const name = `node-${process.platform}-${process.arch}`;
  await npmInstall(home, `${name}@${version}`);
  return join(home, 'node_modules', name, 'bin/node');
}
