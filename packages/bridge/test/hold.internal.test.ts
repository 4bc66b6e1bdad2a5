/**
 * Goal: a session that a sink holds up reads exactly as far as it should.
 * Method: a host that is made of numbers, timers that are turned by hand, random histories.
 */
import { fc, test as property } from '@fast-check/vitest';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Hold } from '../src/control/hold.ts';
import { BridgeError } from '../src/errors.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const aheadBytesMax = 4 << 20;
const readBytes = 65_536;

/** A session of which only the numbers are there. */
function session(
  ageMs: () => number | undefined = () => 0,
  waits = true,
  bytesMax: number = aheadBytesMax,
) {
  const state = { reading: true, bytes: 0, calls: 0, givenUp: [] as number[] };
  const hold = new Hold(
    {
      read: (reading) => {
        expect(reading).not.toBe(state.reading);
        state.reading = reading;
        state.calls++;
      },
      bytesRead: () => state.bytes,
      ageMs,
      waits: () => waits,
      giveUp: (bytes) => state.givenUp.push(bytes),
    },
    bytesMax,
  );
  /** What is there is read, as long as reading goes on; returns how much. */
  const read = (most = Number.POSITIVE_INFINITY): number => {
    const before = state.bytes;
    while (state.reading && state.bytes - before < most) {
      state.bytes += readBytes;
      hold.readEnd();
    }
    return state.bytes - before;
  };
  return { hold, state, read };
}

/** When a minute's looks found it reading (ms); all that is there is read each time. */
function readsWithinAMinute({ state, read }: Pick<ReturnType<typeof session>, 'state' | 'read'>) {
  const times: number[] = [];
  for (let ms = 0; ms < 60_000; ms += 10) {
    vi.advanceTimersByTime(10);
    if (state.reading) {
      times.push(ms + 10);
      read();
    }
  }
  return times;
}

const pending = () => {
  let settle!: () => void;
  const promise = new Promise<void>((resolve) => {
    settle = resolve;
  });
  return { promise, settle };
};

describe('the hold', () => {
  test('a tmux that never waits is read on: past the limit a pipe is given up', () => {
    const { hold, state, read } = session(() => undefined, false);
    for (let turn = 0; turn < 2; turn++) {
      hold.press(true);
      expect(state.reading).toBe(true);
      read(aheadBytesMax - readBytes);
      expect(state.givenUp).toHaveLength(turn);
      read(readBytes);
      expect(state.givenUp).toEqual(Array.from({ length: turn + 1 }, () => aheadBytesMax));
      hold.press(false); // and it counts anew
    }
    read(2 * aheadBytesMax);
    expect(state).toMatchObject({ calls: 0, givenUp: [aheadBytesMax, aheadBytesMax] });
  });

  test('a tmux that waits is held, and nobody is given up', () => {
    const { hold, state, read } = session();
    hold.press(true);
    hold.wait(new Promise(() => {}));
    read();
    expect(state).toMatchObject({ reading: false, bytes: aheadBytesMax, givenUp: [] });
  });

  test('a command is waited for by reading on, up to the limit', async () => {
    const { hold, state, read } = session();
    hold.press(true);
    expect(state.reading).toBe(false);
    const { promise, settle } = pending();
    const waited = hold.wait(promise);
    expect(state.reading).toBe(true);
    read(readBytes);
    settle();
    await waited;
    expect(state.reading).toBe(false);
    const other = pending();
    const late = hold.wait(other.promise);
    expect(read()).toBe(aheadBytesMax - readBytes); // counted since it was held
    expect(state.reading).toBe(false);
    hold.press(false);
    expect(state.reading).toBe(true);
    other.settle();
    await late;
    hold.press(true);
    hold.wait(pending().promise);
    expect(read()).toBe(aheadBytesMax); // and counted anew
    hold.close();
  });

  test('a command that fails ends its wait too', async () => {
    const { hold, state } = session();
    hold.press(true);
    await expect(hold.wait(Promise.reject(new Error('refused')))).rejects.toThrow('refused');
    expect(state.reading).toBe(false);
    hold.close();
  });

  test('a command that ends without its reply says whether it could have been read', async () => {
    const { hold, read } = session();
    const late = (): BridgeError => new BridgeError('ERR_TMUX_TIMEOUT', 'no reply: list-panes');
    hold.press(true);
    await expect(hold.wait(Promise.reject(late()))).rejects.toMatchObject({
      code: 'ERR_TMUX_TIMEOUT',
    });
    let fail!: (error: Error) => void;
    const waited = hold.wait(
      new Promise((_, reject) => {
        fail = reject;
      }),
    );
    read();
    fail(late());
    await expect(waited).rejects.toMatchObject({
      code: 'ERR_SESSION_HELD',
      message: expect.stringMatching(`aheadBytesMax=${aheadBytesMax} .*list-panes`),
    });
    const refused = new BridgeError('ERR_TMUX_COMMAND', 'no such window');
    await expect(hold.wait(Promise.reject(refused))).rejects.toBe(refused); // O4
    hold.press(false);
    await expect(hold.wait(Promise.reject(late()))).rejects.toMatchObject({
      code: 'ERR_TMUX_TIMEOUT',
    });
    hold.close();
  });

  test('without a backlog it reads on a little, ever later, and leaves half to commands', () => {
    const { hold, state, read } = session();
    hold.press(true);
    const times = readsWithinAMinute({ state, read });
    expect(times.slice(0, 6)).toEqual([50, 150, 350, 750, 1550, 3150]);
    expect(state.bytes).toBe(aheadBytesMax / 2);
    hold.wait(pending().promise);
    expect(read()).toBe(aheadBytesMax / 2);
    hold.close();
  });

  test('as long as there is a backlog it leaves tmux alone for longer and longer', () => {
    const { hold, state, read } = session(() => 3_600_000, true, 2 * aheadBytesMax);
    hold.press(true);
    const times = readsWithinAMinute({ state, read });
    expect(times).toEqual([50, 150, 350, 750, 1550, 3150, 6350, 12_750, 25_550, 51_150]);
    hold.close();
  });

  test('without one, it looks every 1600 ms at least', () => {
    const { hold, state, read } = session(() => 0, true, 2 * aheadBytesMax);
    hold.press(true);
    const times = readsWithinAMinute({ state, read });
    expect(times.slice(4, 9)).toEqual([1550, 3150, 4750, 6350, 7950]);
    hold.close();
  });

  test('another connection is held too', () => {
    const { hold, state } = session();
    hold.press(true);
    expect(state.reading).toBe(false);
    state.reading = true;
    state.bytes = 0;
    hold.reconnected();
    expect(state.reading).toBe(false);
    vi.advanceTimersByTime(50);
    expect(state.reading).toBe(true); // the first look
    hold.close();
  });

  test('what is closed is looked at no more', () => {
    const { hold, state } = session();
    hold.press(true);
    const { calls } = state;
    hold.close();
    vi.advanceTimersByTime(60_000);
    expect(state.calls).toBe(calls);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('a tmux that tells no ages is left alone', () => {
    const { hold, state } = session(() => undefined);
    hold.press(true);
    vi.advanceTimersByTime(600_000);
    expect(state.calls).toBe(1);
    hold.close();
  });

  const step = fc.constantFrom('press', 'release', 'ask', 'answer', 'read', 'later', 'reconnect');
  property.prop([fc.array(step, { maxLength: 60 }), fc.integer({ min: 0, max: 200 })])(
    'reads while nothing presses, and never further ahead than it may',
    async (steps, ageMs) => {
      const { hold, state, read } = session(() => ageMs);
      let pressed = false;
      let heldAt = 0;
      const asked: (() => void)[] = [];
      for (const name of steps) {
        if (name === 'press' && !pressed) {
          pressed = true;
          heldAt = state.bytes;
          hold.press(true);
        } else if (name === 'release' && pressed) {
          pressed = false;
          hold.press(false);
        } else if (name === 'ask') {
          const { promise, settle } = pending();
          asked.push(settle);
          hold.wait(promise);
        } else if (name === 'answer') {
          asked.shift()?.();
          await Promise.resolve().then(() => Promise.resolve());
        } else if (name === 'read') read(3 * readBytes);
        else if (name === 'later') vi.advanceTimersByTime(2000);
        else if (name === 'reconnect') {
          state.reading = true;
          state.bytes = heldAt = 0;
          hold.reconnected();
        }
        if (!pressed) expect(state.reading).toBe(true);
        else expect(state.bytes - heldAt).toBeLessThanOrEqual(aheadBytesMax + readBytes);
        if (pressed && asked.length > 0 && state.bytes - heldAt < aheadBytesMax) {
          expect(state.reading).toBe(true);
        }
      }
      hold.close();
    },
  );
});
