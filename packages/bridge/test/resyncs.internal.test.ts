/**
 * Goal: nothing that a pane's pipes want is lost or doubled while the code that restores screens is being loaded (L1),
 * and a code that can't be loaded ends those pipes alone, with a typed error. Method: resyncs over a host that notes
 * what is asked of tmux; modules are loaded anew for each test, so that each begins without the code.
 */
import { beforeEach, expect, test, vi } from 'vitest';
import type { BridgeError } from '../src/errors.ts';
import type { Pane } from '../src/pane.ts';
import type { ResyncPipe } from '../src/resync/resync.ts';
import type { Resyncs, ResyncsHost } from '../src/resync/resyncs.ts';

const code = '../src/resync/resync.ts';

const pipe = (): ResyncPipe => ({ historyLines: 0, restore() {}, push() {}, flush() {} });
const pane = (id: number): Pane => ({ id, pipes: [] }) as unknown as Pane;

interface Noted {
  readonly asked: string[];
  readonly failed: { id: number; pipes: readonly ResyncPipe[]; paused: boolean; code: string }[];
}

async function make(): Promise<{ resyncs: Resyncs; noted: Noted; loaded: () => Promise<void> }> {
  const { Resyncs, loadResync } = await import('../src/resync/resyncs.ts');
  const noted: Noted = { asked: [], failed: [] };
  const host: ResyncsHost = {
    ask: (line) => noted.asked.push(line),
    paused() {},
    restored() {},
    failed: ({ id }, pipes, paused, error: BridgeError) =>
      noted.failed.push({ id, pipes, paused, code: error.code }),
    now: () => 0,
    version: () => '3.3a',
    windowOf: () => undefined,
  };
  const loaded = (): Promise<void> =>
    loadResync().then(
      () => {},
      () => {},
    );
  return { resyncs: new Resyncs(host), noted, loaded };
}

const asksFor = (line: string): string => /%\d+/.exec(line)![0];

beforeEach(() => {
  vi.resetModules();
  vi.doUnmock(code);
});

test('what is wanted meanwhile is asked for once, pane by pane', async () => {
  const { resyncs, noted, loaded } = await make();
  for (const id of [1, 2]) {
    for (const cause of ['attach', 'skip'] as const) resyncs.of(pane(id)).want(pipe(), cause);
  }
  expect(resyncs.get(1)?.exact).toBe(false);
  expect(resyncs.follow(1, new Uint8Array(3), 0, 3)).toBe(true);
  expect(noted.asked).toEqual([]);
  await loaded();
  expect(noted.asked.map(asksFor)).toEqual(['%1', '%2']);
  resyncs.close();
});

test('a paused pane is asked about so that it goes on', async () => {
  const { resyncs, noted, loaded } = await make();
  const lossless = pipe();
  const resync = resyncs.of(pane(1));
  expect(resync.paused([lossless])).toBe(false);
  await loaded();
  expect(noted.asked).toHaveLength(1);
  expect(noted.asked[0]).toContain('%1:continue');
  resyncs.close();
});

test('a resize meanwhile changes no wish: who is attached gets its history', async () => {
  const { resyncs, noted, loaded } = await make();
  const attached = { ...pipe(), historyLines: 77 };
  resyncs.of(pane(1)).want(attached, 'attach');
  resyncs.get(1)?.want(attached, 'resize');
  await loaded();
  expect(noted.asked).toHaveLength(1);
  expect(noted.asked[0]).toContain('-77');
  resyncs.close();
});

test('who has gone meanwhile gets nothing', async () => {
  const { resyncs, noted, loaded } = await make();
  const gone = pipe();
  resyncs.of(pane(1)).want(gone, 'attach');
  resyncs.get(1)?.forget(gone);
  resyncs.of(pane(2)).want(pipe(), 'attach');
  resyncs.remove(2);
  await loaded();
  expect(noted.asked).toEqual([]);
  resyncs.close();
});

test('a connection that breaks takes its wishes along, the next one has its own', async () => {
  const { resyncs, noted, loaded } = await make();
  resyncs.of(pane(1)).want(pipe(), 'attach');
  resyncs.close();
  resyncs.of(pane(2)).want(pipe(), 'gap');
  await loaded();
  expect(noted.asked.map(asksFor)).toEqual(['%2']);
  resyncs.close();
});

test('a code that can not be loaded ends those who wait, by name', async () => {
  vi.doMock(code, () => {
    throw new Error('EMFILE: too many open files');
  });
  const { resyncs, noted, loaded } = await make();
  const [attaching, lossless] = [pipe(), pipe()];
  resyncs.of(pane(1)).want(attaching, 'attach');
  resyncs.of(pane(2)).paused([lossless]);
  await loaded();
  expect(noted.failed).toEqual([
    { id: 1, pipes: [attaching], paused: false, code: 'ERR_BRIDGE_LOAD' },
    { id: 2, pipes: [lossless], paused: true, code: 'ERR_BRIDGE_LOAD' },
  ]);
  expect([resyncs.get(1), noted.asked]).toEqual([undefined, []]);
});
