/**
 * An ordinary client beside the bridge's, and what it does to the server's memory.
 *
 * `script` gives `tmux attach` a terminal; it is read slowly, 500 bytes a millisecond, as over a bad line. With such
 * a client attached tmux no longer slows a flooding program down for a control client that lags: it keeps the output
 * in memory instead.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

const bytesPerMs = 500;
const sampleMs = 250;

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** Returns a process's resident memory (bytes), or 0 if it is gone or the system doesn't tell. */
function residentBytes(pid: number): number {
  try {
    const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return Number(match?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** Why the scenario can't run here, if so. */
export const memoryUnreadable = (): string | undefined =>
  residentBytes(process.pid) > 0 ? undefined : 'this system has no /proc to read memory from';

/** Attaches an ordinary client that reads slowly; returns how to end it. */
export function attachOrdinaryClient(tmux: string, socketPath: string): () => Promise<void> {
  const { TMUX: _, ...env } = process.env;
  const command = `${quoted(tmux)} -S ${quoted(socketPath)} attach-session`;
  const child = spawn('script', ['-qfec', command, '/dev/null'], {
    env: { ...env, TERM: 'xterm-256color' },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  child.on('error', () => {});
  child.stdin.on('error', () => {});
  child.stdout.on('data', (chunk: Buffer) => {
    child.stdout.pause();
    setTimeout(() => child.stdout.resume(), chunk.length / bytesPerMs);
  });
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  return () => {
    child.kill('SIGKILL');
    child.stdout.destroy();
    return gone;
  };
}

/** Watches a process's memory until stopped; returns how much it was at most (bytes). */
export function watchMemory(pid: number, bytesMax: number, tooMuch: () => void): () => number {
  let most = residentBytes(pid);
  const timer = setInterval(() => {
    most = Math.max(most, residentBytes(pid));
    if (most > bytesMax) tooMuch();
  }, sampleMs);
  return () => {
    clearInterval(timer);
    return most;
  };
}
