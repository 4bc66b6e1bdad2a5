/**
 * Goal: acknowledgements move a lane forward only as far as it has sent (L2).
 * Method: a lane with a window of its own, and a sink that says anything.
 */
import { expect, test } from 'vitest';
import { DrainWindow } from '../src/flow/drain-window.ts';
import { Lane } from '../src/flow/lane.ts';

test('an acknowledgement of what was never sent, or long ago, changes nothing', () => {
  let drawn: (offset: number) => void = () => {};
  const sink = {
    write: () => undefined,
    onDrawn: (listener: (offset: number) => void) => {
      drawn = listener;
    },
  };
  const window = new DrainWindow({ delayMs: 4, bytesMin: 1000, bytesMax: 100_000 });
  let served = 0;
  const lane = new Lane(1, sink, {
    window,
    hidden: false,
    now: () => served,
    serve: () => void served++,
    ended: () => {},
  });
  lane.write(new Uint8Array(300));
  lane.send(100);
  lane.send(100);
  expect([lane.sent, lane.drained, window.inFlight]).toEqual([200, 0, 200]);
  served = 0;
  for (const wrong of [201, 300, 2 ** 60, Number.POSITIVE_INFINITY, Number.NaN, 0, -1]) {
    drawn(wrong);
    expect([wrong, lane.drained, window.inFlight, served]).toEqual([wrong, 0, 200, 0]);
  }
  drawn(150); // inside the second piece
  expect([lane.drained, window.inFlight, served]).toEqual([150, 50, 1]);
  drawn(150);
  drawn(120);
  expect([lane.drained, window.inFlight, served]).toEqual([150, 50, 1]);
  drawn(200);
  expect([lane.drained, window.inFlight, served]).toEqual([200, 0, 2]);
});
