/**
 * Goal: each request gets its own reply, also after timeouts, aborts, foreign replies and losses (C1 to C5).
 * Method: a parser fed by hand with the stream that tmux would send.
 */
import { ControlParser } from '@millrace/tmux-proto';
import { Correlator } from '@millrace/tmux-proto/commands';
import { expect, test } from 'vitest';

function setup(options = {}) {
  const sent: string[] = [];
  const foreign: string[] = [];
  const correlator = new Correlator((line) => sent.push(line), options);
  const parser = new ControlParser(
    correlator.handler({
      begin: (guard) => foreign.push(`begin ${guard.number}`),
      replyLine: (bytes, start, end) =>
        foreign.push(Buffer.from(bytes.subarray(start, end)).toString()),
    }),
    { framing: 'lines' },
  );
  const feed = (text: string) => parser.push(Buffer.from(text));
  const reply = (number: number, body: string, how = 'end', flags: string = ' 1') =>
    feed(`%begin 1 ${number}${flags}\n${body}%${how} 1 ${number}${flags}\n`);
  return { sent, foreign, correlator, parser, feed, reply };
}
const code = (code: string) => expect.objectContaining({ code });

test('pairs by order, and leaves replies of tmux itself to the caller', async () => {
  const { correlator, reply, foreign, sent } = setup();
  const a = correlator.request('a\n');
  const b = correlator.request('b\n');
  reply(1, 'hook\n', 'end', ' 0');
  reply(2, 'one\ntwo\n');
  reply(3, '');
  expect((await a).lines).toEqual(['one', 'two']);
  expect((await b).lines).toEqual([]);
  expect(foreign).toEqual(['begin 1', 'hook']);
  expect(sent).toEqual(['a\n', 'b\n']);
});

test('a failing command rejects with what tmux said, and ends its line', async () => {
  const { correlator, reply } = setup();
  const line = correlator.requestAll('a ; b ; c\n', { statements: 3 });
  const next = correlator.request('d\n');
  reply(1, 'fine\n');
  reply(2, 'no such pane\n', 'error');
  reply(3, 'd\n');
  await expect(line).rejects.toEqual(code('ERR_TMUX_COMMAND'));
  await expect(line).rejects.toMatchObject({ lines: ['no such pane'] });
  expect((await next).lines).toEqual(['d']);
});

test('a late reply is not taken for the next one', async () => {
  let fire = () => {};
  const { correlator, reply } = setup({
    timeoutMs: 5,
    setTimer: (f: () => void) => {
      fire = f;
    },
  });
  const late = correlator.request('a\n');
  fire();
  await expect(late).rejects.toEqual(code('ERR_TMUX_TIMEOUT'));
  const next = correlator.request('b\n');
  reply(1, 'late\n');
  reply(2, 'right\n');
  expect((await next).lines).toEqual(['right']);
});

test('requests share a timer, which outlives them and holds nobody up', async () => {
  const timers: { fire: () => void; delayMs: number; held: boolean; cleared: boolean }[] = [];
  const { correlator, reply } = setup({
    timeoutMs: 5000,
    setTimer: (fire: () => void, delayMs: number) => {
      const timer = {
        fire,
        delayMs,
        held: true,
        cleared: false,
        ref: () => {
          timer.held = true;
        },
        unref: () => {
          timer.held = false;
        },
      };
      timers.push(timer);
      return timer;
    },
    clearTimer: (timer: { cleared: boolean }) => {
      timer.cleared = true;
    },
  });
  const answered = correlator.request('a\n');
  reply(1, '');
  await answered;
  expect(timers).toMatchObject([{ delayMs: 5000, held: false, cleared: false }]);
  const late = correlator.request('b\n');
  const closed = correlator.request('c\n');
  expect(timers).toMatchObject([{ held: true }]);
  timers[0]!.fire(); // was armed for the first: the second has its own time still
  expect(timers.length).toBe(2);
  expect(timers[1]!.delayMs).toBeLessThanOrEqual(5000);
  expect(timers[1]!.delayMs).toBeGreaterThan(4000);
  timers[1]!.fire();
  await expect(late).rejects.toEqual(code('ERR_TMUX_TIMEOUT'));
  expect(timers.length).toBe(3);
  correlator.close();
  await expect(closed).rejects.toEqual(code('ERR_TMUX_CLOSED'));
  expect(timers[2]).toMatchObject({ cleared: true });
});

test('a fence gives up what lost its reply', async () => {
  const { correlator, reply, sent } = setup();
  const lost = correlator.request('a\n');
  const fence = correlator.fence();
  reply(1, `${sent[1]!.trim().split(' ').at(-1)!.replaceAll('"', '')}\n`);
  await fence;
  await expect(lost).rejects.toEqual(code('ERR_TMUX_LOST'));
  const next = correlator.request('b\n');
  reply(2, 'b\n');
  expect((await next).lines).toEqual(['b']);
});

test('callbacks run in stream order, lines are handed on as they come', async () => {
  const { correlator, feed } = setup();
  const order: string[] = [];
  const done = correlator.requestAll('a ; b\n', {
    statements: 2,
    onLine: (bytes, start, end, index) =>
      order.push(`${index} ${Buffer.from(bytes.subarray(start, end)).toString()}`),
    onReply: (_, index) => order.push(`reply ${index}`),
  });
  feed('%begin 1 1 1\nx\n%end 1 1 1\n%begin 1 2 1\ny\n%end 1 2 1\n');
  expect(order).toEqual(['0 x', 'reply 0', '1 y', 'reply 1']);
  await done;
});

test('aborting, closing and bad lines reject', async () => {
  const { correlator, reply } = setup();
  const controller = new AbortController();
  const aborted = correlator.request('a\n', { signal: controller.signal });
  controller.abort();
  await expect(aborted).rejects.toEqual(code('ERR_TMUX_ABORTED'));
  await expect(correlator.request('a\nb\n')).rejects.toEqual(code('ERR_TMUX_ENCODE'));
  const open = correlator.request('b\n');
  reply(1, '');
  correlator.close();
  await expect(open).rejects.toEqual(code('ERR_TMUX_CLOSED'));
  await expect(correlator.request('c\n')).rejects.toEqual(code('ERR_TMUX_CLOSED'));
});

test('a reply that breaks off is lost, tmux 1.8 has no flags', async () => {
  const { correlator, parser, feed, reply } = setup();
  const first = correlator.request('a\n');
  reply(1, 'initial\n', 'end', '');
  reply(2, 'mine\n', 'end', '');
  expect((await first).lines).toEqual(['mine']);
  const broken = correlator.request('b\n');
  feed('%begin 1 3\nhalf');
  parser.end();
  await expect(broken).rejects.toEqual(code('ERR_TMUX_LOST'));
});

test('a queue that is full refuses, and a line is counted', async () => {
  const { correlator, reply } = setup({ pendingMax: 1 });
  const line = correlator.requestAll('a ; b\n');
  await expect(correlator.request('c\n')).rejects.toEqual(code('ERR_TMUX_QUEUE'));
  reply(1, 'a\n');
  reply(2, 'b\n');
  expect(await line).toHaveLength(2);
});
