/**
 * A contender's program: does what its plan says, tells how it goes, and ends by itself.
 *
 * `node contender.js PLAN`, the plan as JSON; standard output is a line of JSON per message. It ends when its
 * standard input does, so that it never outlives whoever started it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { encodeBase64 } from '@millrace/histogram/codec';
import { createClock } from '../../measure/clock.ts';
import { Link } from '../link.ts';
import { type OutsideTyping, outsideTyping, typeOutside } from '../outside-typist.ts';
import type { ContenderEnd, ContenderMessage, ContenderPlan } from '../plan.ts';
import { Typist } from '../typist.ts';
import { openAckWindow } from './ack-window.ts';
import { openBare } from './bare.ts';
import { type KeyReading, openBareReader, openBareSocket, readKeys } from './bare-reader.ts';
import { openBridge } from './bridge.ts';
import { openBridgeSocket } from './bridge-socket.ts';
import { openNaive } from './naive.ts';
import { openPoll } from './poll.ts';
import { openTtyd } from './ttyd.ts';
import { type Contender, Viewer } from './viewer.ts';

const unmeasuredKeys = 10;
const keyIntervalMs = 20;
const sampleMs = 10;
const progressMs = 200;

const openers: Readonly<
  Record<ContenderPlan['kind'], (plan: ContenderPlan, viewer: Viewer) => Promise<Contender>>
> = {
  bridge: openBridge,
  'bridge-worker': openBridge,
  'bridge-socket': openBridgeSocket,
  naive: openNaive,
  backpressure: openNaive,
  'ack-window': openAckWindow,
  poll: openPoll,
  bare: openBare,
  'bare-reader': (plan, viewer) => openBareReader(plan, viewer, new URL(import.meta.url)),
  'bare-socket': openBareSocket,
  ttyd: openTtyd,
};

const send = (message: ContenderMessage): Promise<void> =>
  new Promise((resolve) => {
    process.stdout.write(`${JSON.stringify(message)}\n`, () => resolve());
  });

/** Spins 30 of every 50 ms. */
function keepBusy(): void {
  const until = performance.now() + 30;
  while (performance.now() < until);
  setTimeout(keepBusy, 20);
}

/** Has another thread type: this one is busy. */
function typeElsewhere({ echoTerminal, keys }: ContenderPlan, typist: Typist, epoch: bigint): void {
  const typing = outsideTyping(echoTerminal, keyIntervalMs, unmeasuredKeys + keys, epoch);
  typist.follow(typing);
  new Worker(new URL(import.meta.url), { workerData: typing, stdin: true }).unref();
}

async function run(plan: ContenderPlan): Promise<void> {
  const clock = createClock();
  const { warmKeys = 0 } = plan;
  const typist = new Typist(warmKeys + unmeasuredKeys, () => clock.now());
  const viewer = new Viewer(new Link(plan.linkBytesPerSecond), typist);
  const contender = await openers[plan.kind](plan, viewer);
  // The flood and the garbage of the start settle first.
  await sleep(200);
  await typist.warmUp((text) => contender.type(text), warmKeys);
  if (plan.busy) keepBusy();
  const startMs = performance.now();
  const startRss = process.memoryUsage.rss();
  const startCpu = process.cpuUsage();
  const startFlood = viewer.floodBytes;
  const startSnapshots = contender.snapshots?.() ?? 0;
  let rss = startRss;
  let rssMax = startRss;
  let queuedMax = 0;
  let toldMs = startMs;
  const seconds = (): number => (performance.now() - startMs) / 1000;
  if (plan.busy) typeElsewhere(plan, typist, clock.epoch);
  else typist.start((text) => contender.type(text), keyIntervalMs, plan.keys);
  const end = await new Promise<ContenderEnd>((resolve) => {
    const timer = setInterval(() => {
      const queuedBytes = contender.queuedBytes();
      queuedMax = Math.max(queuedMax, queuedBytes);
      rss = process.memoryUsage.rss();
      rssMax = Math.max(rssMax, rss);
      const { sent, seen, oldestNs, lastNs } = typist;
      if (performance.now() - toldMs >= progressMs) {
        toldMs = performance.now();
        send({
          type: 'progress',
          seconds: seconds(),
          keysSent: sent,
          keysSeen: seen,
          lastNs,
          oldestNs,
          rssBytes: rss,
          queuedBytes,
        });
      }
      const ended: ContenderEnd | undefined =
        sent === plan.keys && typist.missing === 0
          ? 'done'
          : oldestNs > plan.silenceMsMax * 1e6
            ? 'no echo'
            : rss > plan.rssBytesMax
              ? 'memory'
              : seconds() > (plan.secondsMax ?? Infinity)
                ? 'time'
                : undefined;
      if (ended === undefined) return;
      clearInterval(timer);
      typist.stop();
      resolve(ended);
    }, sampleMs);
  });
  const { sent, seen } = typist;
  typist.giveUp();
  const { user, system } = process.cpuUsage(startCpu);
  await send({
    type: 'report',
    end,
    echo: encodeBase64(typist.latency),
    keysSent: sent,
    keysSeen: seen,
    seconds: seconds(),
    cpuShare: (user + system) / 1e6 / seconds(),
    rssGrowthBytes: rssMax - startRss,
    queuedBytesMax: queuedMax,
    floodBytes: viewer.floodBytes - startFlood,
    snapshots: (contender.snapshots?.() ?? 0) - startSnapshots,
  });
  await contender.stop();
}

/** The contender's main thread, from plan to report. */
async function main(): Promise<void> {
  // Ctrl-C reaches the whole group; whoever started this decides what becomes of it.
  process.on('SIGINT', () => {});
  process.stdin.on('end', () => process.exit(1)).resume();
  try {
    await run(JSON.parse(process.argv[2]!) as ContenderPlan);
    process.exit(0);
  } catch (error) {
    await send({ type: 'failed', message: (error as Error).message });
    process.exit(1);
  }
}

/** What a thread of it is told. */
type Task = OutsideTyping | KeyReading;

async function work(task: Task): Promise<void> {
  if ('type' in task) readKeys(task);
  else await typeOutside(task);
}

await (isMainThread ? main() : work(workerData as Task));
