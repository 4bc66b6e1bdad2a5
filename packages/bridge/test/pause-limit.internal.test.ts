/**
 * Goal: `pause-after` is the shorter limit while an ordinary client is attached, and is sent only when it changes.
 * Method: a model of clients alone.
 */
import { expect, test } from 'vitest';
import { PauseLimit } from '../src/control/pause-limit.ts';
import type { Model } from '../src/model/model.ts';
import type { Settings } from '../src/options.ts';

const model = (ordinary: number, control: number): Model => {
  const clients = new Map<number, { control: boolean }>();
  for (let index = 0; index < ordinary + control; index++) {
    clients.set(index, { control: index >= ordinary });
  }
  return { clients } as unknown as Model;
};

test.each([
  { pauseAfterSeconds: 60, mixedPauseAfterSeconds: 1, mixed: 1 },
  { pauseAfterSeconds: 2, mixedPauseAfterSeconds: 5, mixed: 2 }, // never a longer one
])('$pauseAfterSeconds s alone, $mixed s beside others', (limits) => {
  const { pauseAfterSeconds, mixedPauseAfterSeconds, mixed } = limits;
  const told: unknown[] = [];
  const limit = new PauseLimit({ pauseAfterSeconds, mixedPauseAfterSeconds } as Settings, {
    send: (seconds) => told.push(seconds),
    mixed: (...counts) => told.push(counts),
  });
  const follow = (ordinary: number, control: number): unknown[] => {
    told.length = 0;
    limit.follow(model(ordinary, control));
    return [limit.seconds, ...told];
  };
  const sent = (seconds: number): number[] => (mixed === pauseAfterSeconds ? [] : [seconds]);
  expect(follow(0, 0)).toEqual([pauseAfterSeconds]); // ours isn't listed yet
  expect(follow(0, 1)).toEqual([pauseAfterSeconds]);
  expect(follow(1, 1)).toEqual([mixed, ...sent(mixed), [1, 0]]);
  expect(follow(1, 1)).toEqual([mixed]);
  expect(follow(2, 3)).toEqual([mixed, [2, 2]]);
  expect(follow(0, 3)).toEqual([pauseAfterSeconds, ...sent(pauseAfterSeconds), [0, 2]]);
  expect([limit.ordinaryClients, limit.otherControlClients]).toEqual([0, 2]);
});
