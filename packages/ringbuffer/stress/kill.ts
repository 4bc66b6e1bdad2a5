/**
 * Kills threads at random moments and looks at what they leave behind.
 *
 * Allowed outcomes, per kill:
 * - a producer: every record that it reported as pushed is there, whole and in order; at most one more is; after
 *   `markDead` the consumer gets the end instead of blocking;
 * - a consumer: the next one goes on with the record behind the last one released, or repeats what was held when
 *   it died; nothing is skipped; after `markDead` the producer gets an error instead of blocking;
 * - a producer of a group of lanes: as a producer, and all others go on undisturbed.
 */
import { Worker } from 'node:worker_threads';
import {
  attachConsumer,
  attachLanesConsumer,
  attachProducer,
  createLanes,
  createRing,
  markDead,
  markLaneDead,
  RingClosedError,
} from '@millrace/ringbuffer';
import { check, fill, random } from '../test/fixtures/stream.mjs';

const LENGTH_MAX = 60;
const START = 2 ** 31 - 2048;

interface Victim {
  readonly worker: Worker;
  readonly progress: Int32Array;
  /** Kills it after it has begun, at a moment that the seed decides. */
  kill(): Promise<void>;
}

async function spawn(
  data: Record<string, unknown>,
  delayMs: number,
  meanwhile: () => void = () => {},
): Promise<Victim> {
  const progress = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(new URL('./victim.mjs', import.meta.url), {
    workerData: { lengthMax: LENGTH_MAX, progress: progress.buffer, ...data },
  });
  let failure: unknown;
  worker.on('error', (error) => {
    failure = error;
  });
  // Begun means: it has got something done. A victim that can't even start is a failure, not a kill.
  while (Atomics.load(progress, 0) === 0) {
    if (failure !== undefined) throw failure;
    meanwhile();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return {
    worker,
    progress,
    async kill() {
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      await worker.terminate();
      if (failure !== undefined) throw failure;
    },
  };
}

/** Fails with the seed, so that the round can be repeated. */
function expectThat(holds: boolean, message: string): asserts holds {
  if (!holds) throw new Error(message);
}

async function producerDies(seed: number, delayMs: number): Promise<void> {
  const { handle } = createRing({ capacity: 1024, startIndex: START });
  const victim = await spawn({ handle, role: 'producer', seed }, delayMs);
  const consumer = attachConsumer(handle);
  let serial = 0;
  const take = (bytes: Uint8Array, start: number, end: number): void => {
    check(bytes, start, end, serial++);
  };
  const timer = setInterval(() => consumer.drain(take), 1);
  await victim.kill();
  clearInterval(timer);
  consumer.drain(take);
  const reported = Atomics.load(victim.progress, 0);
  expectThat(serial === reported || serial === reported + 1, `${serial} records of ${reported}`);
  markDead(handle, 'producer', 'killed');
  expectThat(!(await consumer.ready()) && consumer.closed, 'the consumer still waits');
  expectThat(consumer.producerEnd?.how === 'dead', 'the end says something else');
}

async function consumerDies(seed: number, delayMs: number): Promise<void> {
  const { handle } = createRing({ capacity: 1024, startIndex: START });
  const producer = attachProducer(handle);
  const next = random(seed);
  const source = new Uint8Array(LENGTH_MAX);
  let serial = 0;
  const feed = (): void => {
    for (;;) {
      const length = 8 + (next() % (LENGTH_MAX - 7));
      fill(source, 0, length, serial);
      if (!producer.tryPush(source, 0, length)) return;
      serial++;
    }
  };
  const victim = await spawn({ handle, role: 'consumer', seed }, delayMs, feed);
  const timer = setInterval(feed, 1);
  await victim.kill();
  clearInterval(timer);
  feed();
  const reported = Atomics.load(victim.progress, 0);
  const heir = attachConsumer(handle);
  let expected = -1;
  heir.drain((bytes, start, end) => {
    const found =
      bytes[start]! |
      (bytes[start + 1]! << 8) |
      (bytes[start + 2]! << 16) |
      (bytes[start + 3]! << 24);
    if (expected < 0) {
      expected = found;
      expectThat(found <= reported && found >= reported - 4, `resumes at ${found} of ${reported}`);
    }
    check(bytes, start, end, expected++);
  });
  expectThat(expected < 0 ? serial === reported : expected === serial, `${expected} of ${serial}`);
  while (producer.tryPush(source, 0, 8));
  const waiting = producer.push(source);
  markDead(handle, 'consumer', 'killed');
  const outcome = await waiting.catch((error: unknown) => error);
  expectThat(outcome instanceof RingClosedError, `the producer still waits: ${outcome}`);
}

async function laneDies(seed: number, delayMs: number): Promise<void> {
  const { handle } = createLanes({ laneCount: 2, capacity: 1024, startIndex: START });
  const [victim, other] = await Promise.all([
    spawn({ handle, role: 'lane', seed, lane: 0 }, delayMs),
    spawn({ handle, role: 'lane', seed: seed + 1, lane: 1 }, delayMs + 3),
  ]);
  const consumer = attachLanesConsumer(handle);
  const serials = [0, 0];
  const take = (
    bytes: Uint8Array,
    start: number,
    end: number,
    _kind: number,
    lane: number,
  ): void => {
    check(bytes, start, end, serials[lane]!++);
  };
  const timer = setInterval(() => consumer.drain(take), 1);
  const begun = Atomics.load(other.progress, 0);
  await victim.kill();
  markLaneDead(handle, 0, 'killed');
  await other.kill();
  clearInterval(timer);
  markLaneDead(handle, 1, 'killed');
  while (await consumer.ready()) consumer.drain(take);
  for (const [lane, { progress }] of [victim, other].entries()) {
    const reported = Atomics.load(progress, 0);
    const found = serials[lane]!;
    expectThat(
      found === reported || found === reported + 1,
      `lane ${lane}: ${found} of ${reported}`,
    );
  }
  expectThat(serials[1]! >= begun, 'the other lane stood still');
}

/** Runs `rounds` rounds of each scenario, four kills a round; returns the kills made. */
export async function killRounds(rounds: number, seed: number): Promise<number> {
  const next = random(seed);
  let kills = 0;
  for (let round = 0; round < rounds; round++) {
    const one = next();
    const delayMs = (): number => 2 + (next() % 12);
    try {
      await Promise.all([
        producerDies(one, delayMs()),
        consumerDies(one, delayMs()),
        laneDies(one, delayMs()),
      ]);
    } catch (error) {
      throw new Error(`round ${round}, seed ${seed}: ${(error as Error).message}`, {
        cause: error,
      });
    }
    kills += 4;
  }
  return kills;
}

if (process.argv[1]?.endsWith('stress/kill.ts')) {
  const kills = Number(process.argv[2] ?? 1200);
  const seed = Number(process.argv[3] ?? Date.now() & 0x7fffffff);
  const begun = Date.now();
  const made = await killRounds(Math.ceil(kills / 4), seed);
  const seconds = ((Date.now() - begun) / 1000).toFixed(0);
  console.log(`${made} kills in ${seconds} s, seed ${seed}: nothing damaged, lost or blocked`);
}
