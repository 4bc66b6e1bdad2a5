/**
 * The contender without tmux: a pseudo-terminal per pane, as VS Code's terminals have, paused at 100,000 characters
 * that the viewer hasn't acknowledged and read again below 5,000.
 *
 * The pseudo-terminals are node-pty's, if its module is named, else those of util-linux's `script`.
 */
import { spawn } from 'node:child_process';
import type { Writable } from 'node:stream';
import type { ContenderPlan } from '../plan.ts';
import type { Contender, PaneRole, Viewer } from './viewer.ts';

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

/** `script` doesn't notice that nobody reads it: it is ended when descriptor 3 is closed, by us or by our death. */
const guarded = `exec 4<&0
script -qfec "$1" /dev/null <&4 3<&- 4<&- &
exec 4<&-
cat <&3 >/dev/null
kill -9 $!`;

function scriptPty(command: string): Terminal {
  const child = spawn('/bin/sh', ['-c', guarded, 'sh', command], {
    stdio: ['pipe', 'pipe', 'ignore', 'pipe'],
  });
  const stdin = child.stdin!;
  const stdout = child.stdout!;
  const lifeline = child.stdio[3] as Writable;
  stdin.on('error', () => {});
  lifeline.on('error', () => {});
  return {
    onData: (listener) => {
      stdout.on('data', listener);
    },
    write: (text) => {
      stdin.write(text);
    },
    pause: () => {
      stdout.pause();
    },
    resume: () => {
      stdout.resume();
    },
    kill: () => {
      lifeline.destroy();
    },
  };
}

const commands: Readonly<Record<PaneRole, string>> = {
  flood: 'exec seq 1 1000000000',
  echo: 'stty raw -echo; exec cat',
};

/** Starts both terminals. */
export async function openAckWindow(plan: ContenderPlan, viewer: Viewer): Promise<Contender> {
  const open = plan.ptyModule === undefined ? scriptPty : await nodePty(plan.ptyModule);
  const start = (role: PaneRole): Terminal => {
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
