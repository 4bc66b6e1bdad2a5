// Prepares the machine for a root command. Runs on whatever Node the machine has and uses no dependency:
// installs the locked tree when it is absent or stale, and with --tmux or --chromium those programs where
// it may (as root, in CI or in a container); elsewhere it prints the command to type. Never calls sudo.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

const root = new URL('..', import.meta.url);

function installTree() {
  const stamp = new URL('node_modules/.bootstrap-stamp', root);
  const wanted = createHash('sha256')
    .update(readFileSync(new URL('package-lock.json', root)))
    .update(process.platform + process.arch)
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  const result = spawnSync('npm', ['ci', '--ignore-scripts', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: process.platform === 'win32',
  });
  if (result.status !== 0) process.exit(result.status ?? 1);
  writeFileSync(stamp, wanted);
}

const found = (program) => spawnSync(program, ['-V'], { stdio: 'ignore' }).error === undefined;

/** Package managers in the order they are looked for; `args` install without a question. */
const managers = [
  {
    command: 'apt-get',
    args: ['install', '-y', '-qq', '--no-install-recommends'],
    refresh: ['update', '-qq'],
  },
  { command: 'dnf', args: ['install', '-y', '-q'] },
  { command: 'pacman', args: ['-S', '--noconfirm', '--needed'] },
  { command: 'brew', args: ['install'] },
];

function installProgram(name, isPresent, without) {
  if (isPresent()) return;
  const manager = managers.find(
    ({ command }) => spawnSync(command, ['--version'], { stdio: 'ignore' }).error === undefined,
  );
  const inContainer =
    existsSync('/.dockerenv') ||
    existsSync('/run/.containerenv') ||
    process.env['container'] !== undefined;
  const mayInstall = process.getuid?.() === 0 && (process.env['CI'] !== undefined || inContainer);
  if (manager !== undefined && mayInstall) {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const run = (args) =>
      spawnSync(manager.command, args, { stdio: ['ignore', 'ignore', 'inherit'], env });
    if (manager.refresh !== undefined) run(manager.refresh);
    run([...manager.args, name]);
    if (isPresent()) return;
  }
  const command = `${manager?.command ?? 'your package manager:'} ${manager?.args[0] ?? 'install'} ${name}`;
  process.stderr.write(`${name} is missing: ${without}. To install it, type: ${command}\n`);
}

installTree();
if (process.argv.includes('--tmux')) {
  installProgram(
    'tmux',
    () => process.env['MILLRACE_TMUX'] !== undefined || found('tmux'),
    'tests against a real tmux are skipped and the demo replays a recording',
  );
}
if (process.argv.includes('--chromium')) {
  installProgram(
    'chromium',
    () => existsSync(process.env['CHROMIUM'] ?? '/usr/bin/chromium'),
    'browser tests are skipped',
  );
}
