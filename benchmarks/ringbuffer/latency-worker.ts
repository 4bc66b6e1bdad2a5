/** One end of `latency.ts`. */
import { parentPort, workerData } from 'node:worker_threads';
import { attachConsumer, attachProducer, type RingHandle } from '@millrace/ringbuffer';
import { bareHeaderTrip, bareTrip } from './bare.ts';
import type { LatencyData, LatencyResult } from './latency.ts';

const { mode, role, spin, there, back, count } = workerData as LatencyData;
const caller = role === 'caller';
const producer = attachProducer((caller ? there : back) as RingHandle);
// Space goes back now and then: with one message in flight nobody waits for it.
const consumer = attachConsumer((caller ? back : there) as RingHandle, { releaseBytes: 4096 });
const bytes = new Uint8Array(64);
const out = new Uint8Array(64);
const stamp = new BigInt64Array(bytes.buffer, 0, 1);
const arrived = new BigInt64Array(out.buffer, 0, 1);
const times = new Float64Array(count);

const ring = {
  send(): void {
    while (!producer.tryPush(bytes, 0, 64));
  },
  receive(): void {
    while (consumer.tryPopInto(out) < 0) if (spin !== 'only') consumer.readySync();
  },
};
const [own, others] = (caller ? [there, back] : [back, there]) as [RingHandle, RingHandle];
const bare = { 'bare loops': bareTrip, 'bare loops, header publish': bareHeaderTrip };
const { send, receive } = spin in bare ? bare[spin as keyof typeof bare](own, others, 64) : ring;

function report(warm: number, cpu: number): void {
  const sorted = times.subarray(warm).sort();
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)]! / 1e3;
  parentPort!.postMessage({ p50: at(0.5), p99: at(0.99), cpu } satisfies LatencyResult);
}

if (mode === 'trip') {
  if (caller) {
    for (let i = 0; i < count; i++) {
      const begun = process.hrtime.bigint();
      send();
      receive();
      times[i] = Number(process.hrtime.bigint() - begun);
    }
    report(count / 4, 0);
  } else {
    for (let i = 0; i < count; i++) {
      receive();
      send();
    }
  }
} else if (caller) {
  const nap = new Int32Array(new SharedArrayBuffer(4));
  const begun = process.hrtime.bigint();
  for (let sent = 0; sent < count; ) {
    const due = Math.min(count, Math.floor(Number(process.hrtime.bigint() - begun) / 5000));
    for (; sent < due; sent++) {
      stamp[0] = process.hrtime.bigint();
      send();
    }
    Atomics.wait(nap, 0, 0, 1);
  }
} else {
  receive();
  const cpu = process.cpuUsage();
  const begun = process.hrtime.bigint();
  for (let i = 1; i < count; i++) {
    receive();
    times[i] = Number(process.hrtime.bigint() - arrived[0]!);
  }
  const used = process.cpuUsage(cpu);
  const wallUs = Number(process.hrtime.bigint() - begun) / 1e3;
  report(count / 5, ((used.user + used.system) / wallUs) * 100);
}
