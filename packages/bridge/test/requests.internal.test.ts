/**
 * Goal: tmux watches formats exactly as long as somebody listens, on whichever connection there is.
 * Method: a connection that notes the lines, or refuses them.
 */
import { CommandEncoder } from '@millrace/tmux-proto/commands';
import { beforeEach, expect, test } from 'vitest';
import type { Connection } from '../src/control/connection.ts';
import { Requests } from '../src/control/requests.ts';
import { BridgeError } from '../src/errors.ts';

const encoder = new CommandEncoder();
let lines: string[];
let refused: BridgeError | undefined;
let requests: Requests;

const connection = {
  version: '3.3a',
  commands: {
    run: async (plan: (encoder: CommandEncoder) => string | string[]) => {
      lines.push(...[plan(encoder)].flat());
      if (refused !== undefined) throw refused;
    },
  },
} as unknown as Connection;

beforeEach(() => {
  lines = [];
  refused = undefined;
  requests = new Requests({
    live: true,
    refusal: undefined,
    connection,
    wait: (reply) => reply,
    windowSize: async () => ({ columns: 70, rows: 20 }),
  });
});

test('a listener that is taken away is taken away from tmux, once', async () => {
  const end = await requests.subscribe('#{pane_title}', () => {}, '%1');
  expect(lines).toEqual([encoder.subscribe('millrace-1', '%1', '#{pane_title}')]);
  end();
  end();
  expect(lines.slice(1)).toEqual([encoder.unsubscribe('millrace-1')]);
  lines.length = 0;
  await Promise.all(requests.restore(connection));
  expect(lines).toEqual([]);
});

test('one that tmux refuses is an error, and is not set up again', async () => {
  refused = new BridgeError('ERR_TMUX_COMMAND', 'no');
  await expect(requests.subscribe('#{x}', () => {}, '')).rejects.toBe(refused);
  refused = undefined;
  lines.length = 0;
  await Promise.all(requests.restore(connection));
  expect(lines).toEqual([]);
});

test('another connection gets formats and size as they were', async () => {
  await requests.subscribe('#{a}', () => {}, '');
  await requests.subscribe('#{b}', () => {}, '@2');
  await requests.resize(70, 20);
  const before = [...lines];
  lines.length = 0;
  await Promise.all(requests.restore(connection));
  expect(lines).toEqual(before);
  expect(lines).toHaveLength(3);
});
