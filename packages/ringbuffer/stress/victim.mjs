// A thread that pushes to, or takes from, a ring until it is killed. It tells how far it is in `progress`, by
// Atomics and after the fact: what it claims to have done must survive it.
import { workerData } from 'node:worker_threads';
import { attachConsumer, attachLane, attachProducer } from '@millrace/ringbuffer';
import { check, fill, random } from '../test/fixtures/stream.mjs';

const { handle, role, seed, progress, lengthMax, lane } = workerData;
const done = new Int32Array(progress);
const next = random(seed);
const source = new Uint8Array(lengthMax + 8);

if (role === 'consumer') {
  const consumer = attachConsumer(handle);
  let serial = Atomics.load(done, 0);
  for (;;) {
    consumer.readySync();
    for (let i = next() % 4; i >= 0 && consumer.peek() >= 0; i--) {
      check(consumer.bytes, consumer.start, consumer.end, serial + consumer.held - 1);
    }
    const { held } = consumer;
    // Reported before it is released: whoever comes next may see these again, but nothing else.
    Atomics.store(done, 0, serial + held);
    consumer.release(held);
    serial += held;
  }
} else {
  const producer = lane === undefined ? attachProducer(handle) : attachLane(handle, { lane });
  for (let serial = 0; ; serial++) {
    const length = 8 + (next() % (lengthMax - 7));
    if (next() % 2 === 0) {
      let start = producer.claim(length);
      while (start < 0) {
        producer.readySync(length);
        start = producer.claim(length);
      }
      fill(producer.bytes, start, length, serial);
      producer.commit();
    } else {
      fill(source, 3, length, serial);
      producer.pushSync(source, { start: 3, end: 3 + length });
    }
    Atomics.store(done, 0, serial + 1);
  }
}
