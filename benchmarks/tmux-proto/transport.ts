/** Measurements that need other processes: receiving from a child, a live tmux, pasting, a fresh process. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ControlParser } from '@millrace/tmux-proto';
import { CommandEncoder } from '@millrace/tmux-proto/commands';
import { spawnInto } from '@millrace/tmux-proto/node';
import { corpus, startTmux, synthetic } from './corpora.ts';
import { parseMsPerMB } from './measure.ts';
import { Sink } from './sink.ts';

const MEGABYTES = 256;
const folder = mkdtempSync(join(tmpdir(), 'bench-proto-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

/** The program that writes: the log corpus, again and again, 64 KiB a write. */
function writer(): string[] {
  const file = join(folder, 'log');
  writeFileSync(file, corpus('log'));
  return [
    '-e',
    `const fs=require('fs'),b=fs.readFileSync(${JSON.stringify(file)});let left=${MEGABYTES}e6,o=0;
     while(left>0){const k=Math.min(65536,b.length-o);let w=0;
     while(w<k){try{w+=fs.writeSync(1,b,o+w,k-w)}catch(e){if(e.code!=='EAGAIN')throw e}}
     o=(o+k)%b.length;left-=k}`,
  ];
}

/** MB/s from a child process to events. */
export async function receiveSpeed(): Promise<number> {
  const parser = new ControlParser(new Sink(), { framing: 'lines' });
  const from = performance.now();
  const { ended } = await spawnInto(parser, process.execPath, writer(), {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await ended;
  return parser.counters.bytes / 1e3 / (performance.now() - from);
}

/** MB/s from the same child over the same kind of connection to nothing. */
export const discardSpeed = (): Promise<number> => discard(() => {});

/**
 * MB/s of the same where the thread does nothing with what it has read but wait for as long as parsing it takes, as
 * measured right before from memory: meanwhile nobody reads, the connection fills up, and the child must be woken again.
 */
export function waitingSpeed(): Promise<number> {
  const msPerByte = parseMsPerMB(corpus('log')) / 1e6;
  return discard((count) => {
    const until = performance.now() + count * msPerByte;
    while (performance.now() < until);
  });
}

async function discard(took: (count: number) => void): Promise<number> {
  const path = join(folder, 'sock');
  const buffer = Buffer.alloc(262_144);
  let total = 0;
  const from = performance.now();
  await new Promise<void>((resolve) => {
    const server = createServer({ pauseOnConnect: true }, (theirs) => {
      const child = spawn(process.execPath, writer(), { stdio: ['ignore', theirs, 'inherit'] });
      child.once('spawn', () => theirs.destroy());
      server.close();
    }).listen(path, () => {
      const callback = (count: number): boolean => {
        total += count;
        took(count);
        return true;
      };
      connect({ path, onread: { buffer, callback } }).once('close', () => resolve());
    });
  });
  return total / 1e3 / (performance.now() - from);
}

/** Percent of a core that parsing takes while tmux emits a log as fast as it can. */
export async function shareOfCore(): Promise<number> {
  const file = join(folder, 'cat');
  writeFileSync(
    file,
    synthetic('log', 30e6)
      .toString('latin1')
      .replaceAll(/^%output %\d+ /gm, '')
      .replaceAll('\\015\\012', '\n'),
  );
  const { child, stop } = startTmux(`cat ${file} ${file}; sleep 60`);
  const parser = new ControlParser(new Sink(), { framing: 'lines' });
  let parsing = 0;
  let total = 0;
  let first = 0;
  let last = 0;
  child.stdout!.on('data', (chunk: Buffer) => {
    const from = performance.now();
    parser.push(chunk);
    last = performance.now();
    parsing += last - from;
    total += chunk.length;
    first ||= last;
  });
  while (performance.now() - (first || performance.now()) < 2500) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    if (total > 0 && performance.now() - last > 500) break;
  }
  await stop();
  return (parsing / (last - first)) * 100;
}

/** MB/s that a program in a pane gets, when `lines` deliver `bytes` bytes; checked to be exact. */
async function inputSpeed(bytes: Buffer, lines: readonly string[]): Promise<number> {
  const { child, folder: own, stop } = startTmux('exec cat');
  const file = join(own, 'in');
  child.stdout!.resume();
  child.stdin!.write(`respawn-pane -k -t %0 "stty raw -echo; exec cat > ${file}"\n`);
  await new Promise((resolve) => setTimeout(resolve, 400));
  const size = (): number => {
    try {
      return readFileSync(file).length;
    } catch {
      return 0;
    }
  };
  const from = performance.now();
  child.stdin!.write(lines.join(''));
  while (size() < bytes.length && performance.now() - from < 20_000) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  const took = performance.now() - from;
  const exact = readFileSync(file).equals(bytes);
  await stop();
  if (!exact) throw new Error(`the pane got other bytes: ${size()} of ${bytes.length}`);
  return bytes.length / 1e3 / took;
}

const pasted = (length: number): Buffer =>
  Buffer.from(Array.from({ length }, (_, index) => 1 + ((index * 37) % 127)));

export const pasteSpeed = (): Promise<number> => {
  const bytes = pasted(4_000_000);
  return inputSpeed(bytes, new CommandEncoder('3.3a').paste(0, bytes));
};
export const hexSpeed = (): Promise<number> => {
  const bytes = pasted(200_000);
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 1024) {
    const hex = [...bytes.subarray(at, at + 1024)].map((byte) => byte.toString(16)).join(' ');
    lines.push(`send-keys -t %0 -H ${hex}\n`);
  }
  return inputSpeed(bytes, lines);
};

export const freshTime = (): number =>
  Number(
    execFileSync(
      process.execPath,
      [...process.execArgv, new URL('fresh.ts', import.meta.url).pathname],
      {
        encoding: 'utf8',
      },
    ),
  );
