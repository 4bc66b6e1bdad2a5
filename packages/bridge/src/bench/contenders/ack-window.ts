/**
 * The contender without tmux: a pseudo-terminal per pane, as VS Code's terminals have, paused at 100,000 characters
 * that the viewer hasn't acknowledged and read again below 5,000.
 *
 * The pseudo-terminals are node-pty's, if its module is named, else those of util-linux's `script`.
 */
import type { ContenderPlan } from '../plan.ts';
import { spawnGuarded } from './guarded-child.ts';
import type { Contender, Viewer } from './viewer.ts';

const highCharacters = 100_000;
const lowCharacters = 5_000;

interface Terminal {
  onData(listener: (data: Uint8Array) => void): void;
  write(text: string): void;
  pause(): void;
  resume(): void;
  kill(): void;
}

/** The part of node-pty that is used. */
interface NodePty {
  spawn(
    file: string,
    args: string[],
    options: { cols: number; rows: number },
  ): {
    onData(listener: (data: string) => void): unknown;
    write(text: string): void;
    pause(): void;
    resume(): void;
    kill(signal?: string): void;
  };
}

async function nodePty(module: string): Promise<(command: string) => Terminal> {
  const { spawn: open } = (await import(module)) as NodePty;
  return (command) => {
    const pty = open('/bin/sh', ['-c', command], { cols: 120, rows: 40 });
    return {
      onData: (listener) => {
        pty.onData((text) => listener(Buffer.from(text)));
      },
      write: (text) => pty.write(text),
      pause: () => pty.pause(),
      resume: () => pty.resume(),
      kill: () => pty.kill('SIGKILL'),
    };
  };
}

function scriptPty(command: string): Terminal {
  const child = spawnGuarded('script', ['-qfec', command, '/dev/null']);
  child.stderr.resume();
  return {
    onData: (listener) => {
      child.stdout.on('data', listener);
    },
    write: (text) => {
      child.stdin.write(text);
    },
    pause: () => {
      child.stdout.pause();
    },
    resume: () => {
      child.stdout.resume();
    },
    kill: child.kill,
  };
}

type TerminalRole = 'flood' | 'echo';

const commands: Readonly<Record<TerminalRole, string>> = {
  flood: 'exec seq 1 1000000000',
  echo: 'stty raw -echo; exec cat',
};

/** Starts both terminals. */
export async function openAckWindow(plan: ContenderPlan, viewer: Viewer): Promise<Contender> {
  const open = plan.ptyModule === undefined ? scriptPty : await nodePty(plan.ptyModule);
  const start = (role: TerminalRole): Terminal => {
    const terminal = open(commands[role]);
    let unacknowledged = 0;
    let paused = false;
    terminal.onData((data) => {
      unacknowledged += data.length;
      if (!paused && unacknowledged > highCharacters) {
        paused = true;
        terminal.pause();
      }
      viewer.deliver(role, data, () => {
        unacknowledged -= data.length;
        if (!paused || unacknowledged >= lowCharacters) return;
        paused = false;
        terminal.resume();
      });
    });
    return terminal;
  };
  const terminals = [start('flood'), start('echo')];
  return {
    type: (text) => terminals[1]!.write(text),
    queuedBytes: () => viewer.queuedBytes,
    stop: () => {
      for (const terminal of terminals) terminal.kill();
      return Promise.resolve();
    },
  };
}
