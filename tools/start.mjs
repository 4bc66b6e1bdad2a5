// `npm start`: builds the bridge and what it depends on, then runs `millrace demo` (or the command given).
import { spawn } from 'node:child_process';
import { turbo } from './turbo.mjs';

const status = turbo(['build', '--filter=@millrace/bridge...', '--output-logs=errors-only'], {
  stdio: ['ignore', 'ignore', 'inherit'],
});
if (status !== 0) process.exit(status);
const args = process.argv.length > 2 ? process.argv.slice(2) : ['demo'];
const child = spawn(process.execPath, ['packages/bridge/dist/cli.js', ...args], {
  stdio: 'inherit',
});
// Ctrl-C reaches the whole group, so the demo ends by itself; a signal sent to this process alone is passed on.
process.on('SIGINT', () => {});
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1);
});
