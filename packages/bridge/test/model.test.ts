/**
 * Goal: the model is what tmux says there is, whatever is done to sessions, windows and panes, by whomever, and its
 * events tell the way from one state to the next.
 * Method: a real tmux; after each of many changes made from outside, the model, and a copy of it that is kept by the
 * events alone, must come to equal tmux's own lists, which the test asks for on its own.
 */
import { connect, type ModelChange, nullSink, type Session } from '@millrace/bridge';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { plainLayout } from './support/layout.ts';
import { canResync, hasTmux, type TestServer, testServer, until } from './support/tmux.ts';

let server: TestServer;
beforeEach(() => {
  server = testServer();
});
afterEach(() => server.close());

const open = (worker: boolean, command = 'sleep 600'): Promise<Session> =>
  connect({
    socketPath: server.socketPath,
    configFile: '/dev/null',
    session: 'main',
    create: { command, columns: 100, rows: 40 },
    worker,
  });

/** What tmux lists, as sorted lines; names and titles in this test have no spaces. */
function truth(): string[] {
  const lines = [
    server.run('list-sessions', '-F', 's #{session_id} #{session_name} #{session_attached}'),
    server.run(
      'list-windows',
      '-a',
      '-F',
      'w #{window_id} #{window_name} #{window_width}x#{window_height} #{window_zoomed_flag} ' +
        '#{window_layout} #{window_visible_layout}',
    ),
    server.run(
      'list-windows',
      '-a',
      '-F',
      'l #{window_id} #{session_id}:#{window_index} #{window_active}',
    ),
    server.run(
      'list-panes',
      '-a',
      '-F',
      'p #{pane_id} #{window_id}.#{pane_index} #{pane_active} #{pane_left},#{pane_top} ' +
        '#{pane_width}x#{pane_height} #{pane_mode} #{pane_title}',
    ),
  ];
  const plain = lines
    .join('')
    .trim()
    .split('\n')
    .map((line) => (line.startsWith('w ') ? line.split(' ').map(plainLayout).join(' ') : line));
  return [...new Set(plain)].sort();
}

const lineOf = (change: Pick<ModelChange, 'kind' | 'id' | 'after'>): string[] => {
  const { kind, id, after } = change as ModelChange;
  if (after === undefined || kind === 'client') return [];
  const bit = (flag: boolean | undefined): number => (flag ? 1 : 0);
  if (kind === 'session') return [`s $${id} ${after.name} ${after.clients}`];
  if (kind === 'window') {
    const { name, columns, rows, zoomed, layout, visibleLayout, links } = after;
    return [
      `w @${id} ${name} ${columns}x${rows} ${bit(zoomed)} ${layout} ${visibleLayout}`,
      ...links.map(
        ({ session, index, current }) => `l @${id} $${session}:${index} ${bit(current)}`,
      ),
    ];
  }
  const { window, index, active, x, y, columns, rows, mode, title } = after;
  return [
    `p %${id} @${window}.${index} ${bit(active)} ${x},${y} ${columns}x${rows} ${mode} ${title}`,
  ];
};

const linesOf = (entities: Iterable<Pick<ModelChange, 'kind' | 'id' | 'after'>>): string[] =>
  [...new Set([...entities].flatMap(lineOf))].sort();

function* entitiesOf({ model }: Session): Generator<Pick<ModelChange, 'kind' | 'id' | 'after'>> {
  for (const [id, after] of model.sessions) yield { kind: 'session', id, after };
  for (const [id, after] of model.windows) yield { kind: 'window', id, after };
  for (const [id, after] of model.panes) yield { kind: 'pane', id, after };
}

/** A copy of the model that is kept by its events. */
function mirrorOf(session: Session): Map<string, Pick<ModelChange, 'kind' | 'id' | 'after'>> {
  const mirror = new Map<string, Pick<ModelChange, 'kind' | 'id' | 'after'>>();
  for (const entity of entitiesOf(session)) mirror.set(`${entity.kind} ${entity.id}`, entity);
  session.on('change', (change) => {
    const key = `${change.kind} ${change.id}`;
    expect(change.before).toEqual(mirror.get(key)?.after);
    expect(change.fields.length).toBeGreaterThan(0);
    if (change.after === undefined) mirror.delete(key);
    else mirror.set(key, change);
  });
  return mirror;
}

/** Waits until the model is what tmux lists; says how it differs if it doesn't come to that. */
async function settled(session: Session, mirror: Map<string, never>): Promise<void> {
  let wanted = truth();
  const deadline = Date.now() + 8000;
  while (linesOf(entitiesOf(session)).join('\n') !== wanted.join('\n')) {
    if (Date.now() > deadline) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
    wanted = truth();
  }
  expect(linesOf(entitiesOf(session))).toEqual(wanted);
  expect(linesOf(mirror.values())).toEqual(wanted);
}

const sleep = 'sleep 600';
/** What is done from outside; each may fail, then nothing changes. */
const actions: readonly (readonly string[])[] = [
  ['split-window', '-d', '-t', 'main', sleep],
  ['split-window', '-h', '-t', 'main', sleep],
  ['new-window', '-d', '-t', 'main', sleep],
  ['new-window', '-t', 'main', sleep],
  ['new-session', '-d', '-s', 'other', '-x', '90', '-y', '30', sleep],
  ['new-window', '-d', '-t', 'other', sleep],
  ['split-window', '-d', '-t', 'other', sleep],
  ['rename-window', '-t', 'main', 'renamed'],
  ['rename-window', '-t', 'other', 'x-y'],
  ['rename-session', '-t', 'other', 'third'],
  ['rename-session', '-t', 'third', 'other'],
  ['select-pane', '-t', 'main.0'],
  ['select-pane', '-t', 'main.1'],
  ['select-pane', '-t', 'main.0', '-T', 'a-title'],
  ['select-pane', '-t', 'other', '-T', 'elsewhere'],
  ['resize-pane', '-Z', '-t', 'main'],
  ['resize-pane', '-t', 'main.0', '-y', '7'],
  ['select-layout', '-t', 'main', 'tiled'],
  ['select-layout', '-t', 'other', 'even-horizontal'],
  ['swap-pane', '-d', '-s', 'main.0', '-t', 'main.1'],
  ['rotate-window', '-t', 'main'],
  ['break-pane', '-d', '-s', 'main.1'],
  ['join-pane', '-d', '-s', 'main:1.0', '-t', 'main:0.0'],
  ['join-pane', '-d', '-s', 'other.0', '-t', 'main:0.0'],
  ['next-window', '-t', 'main'],
  ['select-window', '-t', 'main:0'],
  ['move-window', '-d', '-s', 'main:1', '-t', 'main:7'],
  ['swap-window', '-d', '-s', 'main:0', '-t', 'main:7'],
  ['link-window', '-d', '-s', 'other:0', '-t', 'main:5'],
  ['unlink-window', '-t', 'main:5'],
  ['link-window', '-d', '-s', 'main:0', '-t', 'other:9'],
  ['copy-mode', '-t', 'main.0'],
  ['clock-mode', '-t', 'other'],
  ['send-keys', '-t', 'main.0', '-X', 'cancel'],
  ['set-option', '-w', '-t', 'main', 'pane-border-status', 'top'],
  ['set-option', '-w', '-t', 'main', 'pane-border-status', 'off'],
  ['kill-pane', '-t', 'main.1'],
  ['kill-window', '-t', 'main:1'],
  ['kill-session', '-t', 'other'],
];

/** Before 3.2 nothing tells what has no notification of its own (M3): it is in the next listing. */
const nudge = (): void => {
  if (!canResync) server.run('new-window', '-d', '-t', 'main', sleep);
};

describe.skipIf(!hasTmux).each([{ worker: false }, { worker: true }])(
  'the model, worker: $worker',
  ({ worker }) => {
    test('is what tmux lists after each thing that can be done to it', async () => {
      await using session = await open(worker);
      const mirror = mirrorOf(session) as Map<string, never>;
      await settled(session, mirror);
      for (const action of actions) server.run(...action);
      await settled(session, mirror);
      // tmux 3.3a has no notification for these.
      server.run('new-session', '-d', '-s', 'quiet', '-x', '90', '-y', '30', sleep);
      server.run('split-window', '-d', '-t', 'quiet', sleep);
      nudge();
      await settled(session, mirror);
      server.run('select-pane', '-t', 'quiet', '-T', 'silently');
      server.run('select-layout', '-t', 'quiet', 'even-horizontal');
      nudge();
      await settled(session, mirror);
      // Panes of the attached session, and only those, are to be watched.
      const ids = server.run('list-panes', '-s', '-t', 'main', '-F', '#{pane_id}').trim();
      expect([...session.panes.keys()].map((id) => `%${id}`).sort()).toEqual(
        [...new Set(ids.split('\n'))].sort(),
      );
    });
  },
);

describe.skipIf(!hasTmux)('the model', () => {
  test('follows any sequence of changes', async () => {
    await using session = await open(false);
    const mirror = mirrorOf(session) as Map<string, never>;
    const sequences = fc.array(fc.nat(actions.length - 1), { minLength: 1, maxLength: 25 });
    await fc.assert(
      fc.asyncProperty(sequences, async (sequence) => {
        // `main` never loses its last pane: that would end the session.
        server.run('new-window', '-d', '-t', 'main:99', sleep);
        for (const index of sequence) server.run(...actions[index]!);
        await settled(session, mirror);
      }),
      { numRuns: Number(process.env['FC_RUNS'] ?? 4), endOnFailure: true },
    );
  });

  test('layouts answer questions, and a zoomed window has the one pane that is drawn', async () => {
    await using session = await open(false);
    const { model } = session;
    await session.command('split-window', '-h', '-d', sleep);
    const window = model.currentWindow()!;
    await until(() => model.layout(window).panes().length === 2);
    const [left, right] = model.windows.get(window)!.panes;
    expect(model.layout(window).at(0, 0).pane).toBe(left);
    expect(model.layout(window).at(99, 0).pane).toBe(right);
    expect(model.windowsOf()).toEqual([window]);
    expect(session.panes.get(left!)!.info).toMatchObject({ window, x: 0, y: 0, rows: 40 });
    await session.command('resize-pane', '-Z', '-t', `%${left}`);
    await until(() => model.windows.get(window)!.zoomed);
    expect(model.layout(window).panes()).toEqual([left]);
    expect(model.layout(window, { visible: false }).panes()).toEqual([left, right]);
    expect(session.panes.get(left!)!.info.columns).toBe(100);
    expect(model.layout(4711).count).toBe(0);
  });

  test('the focused pane is the active one, unless the caller says otherwise', async () => {
    await using session = await open(false);
    const seen: (number | undefined)[] = [];
    session.on('focus', (pane) => seen.push(pane?.id));
    const first = session.focusedPane!;
    await session.command('split-window', sleep);
    await until(() => session.focusedPane !== first && session.focusedPane !== undefined);
    const second = session.focusedPane!;
    session.focus(first);
    expect(session.focusedPane).toBe(first);
    await session.command('new-window', sleep);
    await until(() => session.panes.size === 3);
    expect(session.focusedPane).toBe(first);
    session.focus(undefined);
    await until(() => session.focusedPane!.info.window !== first.info.window);
    const third = session.focusedPane!;
    session.focus(second);
    await session.command('kill-pane', '-t', `%${second.id}`);
    await until(() => session.focusedPane === third);
    expect(seen).toEqual([second.id, first.id, third.id, second.id, third.id]);
  });

  test('another session may be attached, panes and model follow', async () => {
    server.run(
      'new-session',
      '-d',
      '-s',
      'other',
      '-x',
      '90',
      '-y',
      '30',
      'while :; do echo x; sleep 0.05; done',
    );
    await using session = await open(false);
    const before = [...session.panes.values()];
    const gone: number[] = [];
    session.on('pane-closed', (pane) => gone.push(pane.id));
    const attached = new Promise((resolve) => session.once('attached', resolve));
    await session.command('switch-client', '-t', 'other');
    expect(session.model.sessions.get((await attached) as number)?.name).toBe('other');
    await until(() => gone.length === 1 && session.panes.size === 1);
    expect(gone).toEqual(before.map((pane) => pane.id));
    const sink = nullSink();
    [...session.panes.values()][0]!.pipe(sink);
    await until(() => sink.bytes > 10);
  });

  test('clients come and go', async () => {
    await using session = await open(false);
    expect([...session.model.clients.values()]).toMatchObject([{ control: true }]);
    const other = await open(false);
    await until(() => session.model.clients.size === 2);
    await other.close();
    nudge();
    await until(() => session.model.clients.size === 1);
  });

  test.skipIf(!canResync)('options are read and followed', async () => {
    await using session = await open(false);
    server.run('set-option', '-g', 'mouse', 'off'); // on by default from 3.8 on
    const { options } = session;
    const told: unknown[] = [];
    session.on('option', (...change) => told.push(change));
    expect(await options.watch('mouse', 'status', '@mine')).toEqual(['0', 'on', '']);
    server.run('set-option', '-g', 'mouse', 'on');
    server.run('set-option', '-t', 'main', '@mine', 'two\nlines "#{pane_id}"');
    await until(() => told.length === 2);
    expect(options.get('mouse')).toBe('1');
    expect(options.get('@mine')).toBe('two\nlines "#{pane_id}"');
    expect(told).toContainEqual(['mouse', '1', '0']);
    options.unwatch('mouse');
    expect(options.get('mouse')).toBeUndefined();
    expect(options.names).toEqual(['status', '@mine']);
    await expect(options.watch('a}b')).rejects.toMatchObject({ code: 'ERR_BRIDGE_ARGUMENT' });
  });

  test.skipIf(!canResync)('a subscription tells each value, and ends', async () => {
    await using session = await open(false);
    const values: string[] = [];
    const end = await session.subscribe('#{@word}', ({ value }) => values.push(value));
    server.run('set-option', '-g', '@word', 'one');
    await until(() => values.includes('one'));
    await end();
    server.run('set-option', '-g', '@word', 'two');
    await new Promise((resolve) => setTimeout(resolve, 1200));
    expect(values.at(-1)).toBe('one');
  });
});
