/**
 * Goal: what callers rely on beside the events: ownership, errors, limits, lazy output, framing, many parsers.
 * Method: examples, for every engine.
 */
import {
  type ControlHandler,
  decodedLength,
  decodeInto,
  type ParserOptions,
} from '@millrace/tmux-proto';
import { describe, expect, test } from 'vitest';
import { collector, pushCut, run } from './support/collect.ts';
import { engines } from './support/engines.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const string = (b: Uint8Array, s: number, e: number): string =>
  Buffer.from(b.subarray(s, e)).toString('latin1');
const code = (value: string) => expect.objectContaining({ code: value });

describe.each(engines)('%s engine', (name, Parser, extra) => {
  const create = (handler: ControlHandler, options: ParserOptions = {}) =>
    new Parser(handler, { framing: 'lines', ...extra, ...options });

  test('says its name and where it is', () => {
    const parser = create({});
    expect(parser.engine).toBe(name === 'adaptive' ? 'js' : name);
    parser.push(bytes('%begin 1 2 1\nx'));
    expect(parser.insideBlock).toBe(true);
    expect(parser.insideControlMode).toBe(true);
  });

  describe('lazy output', () => {
    test('hands out raw payload, which decodes on demand', () => {
      const seen: unknown[] = [];
      const parser = create({
        rawOutput: (pane, ageMs, b, s, e) => {
          const target = new Uint8Array(decodedLength(b, s, e));
          decodeInto(b, s, e, target);
          seen.push([pane, ageMs, string(b, s, e), string(target, 0, target.length)]);
        },
        output: () => seen.push('never'),
      });
      parser.push(bytes('%output %1 a\\033b\n%extended-output %2 7 : c\\012\n%output %1 \n'));
      parser.push(bytes('%extended-output %4294967295 123456789 later : d\n'));
      expect(seen).toEqual([
        [1, -1, 'a\\033b', 'a\x1bb'],
        [2, 7, 'c\\012', 'c\n'],
        [1, -1, '', ''],
        [4294967295, 123456789, 'd', 'd'],
      ]);
    });

    test('skips panes before decoding', () => {
      const seen: string[] = [];
      const parser = create({
        filter: (pane) => pane === 2,
        output: (pane, b, s, e) => seen.push(`${pane} ${string(b, s, e)}`),
        extendedOutput: (pane, age, b, s, e) => seen.push(`${pane} ${age} ${string(b, s, e)}`),
      });
      parser.push(bytes('%output %1 a\n%output %2 b\\033c\\\n%output %2 plain\n'));
      parser.push(bytes('%extended-output %2 5 : \\134\r\n%extended-output %3 5 : x\n'));
      expect(seen).toEqual(['2 b\x1bc\\', '2 plain', '2 5 \\']);
      expect(parser.counters.filteredLines).toBe(2);
    });

    test('extended output falls back to output', () => {
      const { events, handler } = collector();
      delete handler.extendedOutput;
      create(handler).push(bytes('%extended-output %1 5 : a\\033\n'));
      expect(events).toEqual(['output 1 a\x1b']);
    });

    test('without any handler nothing happens', () => {
      const parser = create({});
      parser.push(
        bytes(
          '%output %1 a\\033\n%extended-output %1 5 : a\n%begin 1 1 1\nx\n%end 1 1 1\nz\n%exit\n',
        ),
      );
      expect(parser.counters.strayLines).toBe(1);
    });
  });

  describe('errors of handlers', () => {
    test('lose no event, and come out of push', () => {
      const seen: string[] = [];
      const parser = create({
        output: (pane, b, s, e) => {
          seen.push(`${pane} ${string(b, s, e)}`);
          if (pane === 1) throw new Error(`first ${string(b, s, e)}`);
        },
        begin: () => {
          throw new Error('begin');
        },
        replyLine: (b, s, e) => seen.push(string(b, s, e)),
      });
      const text =
        '%output %1 a\n%output %2 b\\033\n%output %1 c\n%begin 1 1 1\nbody\n%end 1 1 1\n%output %3 d\n%outp';
      expect(() => parser.push(bytes(text))).toThrow('first a');
      parser.push(bytes('ut %4 e\n'));
      expect(seen).toEqual(['1 a', '2 b\x1b', '1 c', 'body', '3 d', '4 e']);
      expect(parser.counters.handlerErrors).toBe(3);
    });

    test('do not stop the shell round -CC', () => {
      const { events, handler } = collector();
      handler.enter = () => {
        throw new Error('enter');
      };
      const parser = create(handler, { framing: 'dcs' });
      expect(() => parser.push(bytes('$ \x1bP1000p%exit\r\n\x1b\\$ '))).toThrow('enter');
      expect(events).toEqual(['text $ ', 'exit ', 'leave', 'text $ ']);
    });
  });

  test('a handler may not call its own parser, but others', () => {
    const inner = collector();
    const other = create(inner.handler);
    const seen: string[] = [];
    const parser = create({
      output: (pane, b, s, e) => {
        expect(() => parser.push(bytes('x'))).toThrow(code('ERR_TMUX_REENTRANT'));
        other.push(bytes(`%output %${pane} nested \\033`));
        other.push(bytes(`[m${string(b, s, e)}\n`));
        seen.push(string(b, s, e));
      },
    });
    parser.push(bytes('%output %1 a\\\\\\134\n%output %2 b\n%output %3 part'));
    parser.push(bytes('ial\n'));
    expect(seen).toEqual(['a\\\\\\', 'b', 'partial']);
    expect(inner.events).toEqual([
      'output 1 nested \x1b[ma\\\\\\',
      'output 2 nested \x1b[mb',
      'output 3 nested \x1b[mpartial',
    ]);
  });

  test('ten thousand parsers, each inside a line', () => {
    const count = 10_000;
    const seen = new Array<string>(count).fill('');
    const parsers = seen.map((_, index) =>
      create({
        output: (pane, b, s, e) => {
          seen[index] += `${pane}${string(b, s, e)}`;
        },
      }),
    );
    for (const [index, parser] of parsers.entries()) parser.push(bytes(`%output %${index} a\\03`));
    for (const parser of parsers) parser.push(bytes('3b\n%output %0 c'));
    for (const parser of parsers) parser.push(bytes('d\n'));
    expect(seen.every((text, index) => text === `${index}a\x1bb0cd`)).toBe(true);
  });

  describe('limits', () => {
    const long = `%output %1 ${'x'.repeat(2000)}\n`;
    test('a long line: error, and the stream goes on', () => {
      const { events, handler } = collector();
      const parser = create(handler, { maxLineBytes: 1024 });
      expect(() => parser.push(bytes(`stray\n${long}%pause %1\n`))).toThrow(
        code('ERR_TMUX_LINE_LIMIT'),
      );
      expect(events).toEqual(['stray stray', 'notification pause']);
      expect(parser.counters.overlongLines).toBe(1);
    });

    test('a reply of any size streams; a limit truncates it', () => {
      const { events, handler } = collector();
      const parser = create(handler, { maxBlockBytes: 4, limitPolicy: 'truncate' });
      parser.push(bytes('%begin 1 1 1\na\nb\nc\nd\n%end 1 1 1\n%begin 1 2 1\ne\n%end 1 2 1\n'));
      expect(events).toEqual([
        'begin 1 1 1',
        'reply a',
        'reply b',
        'end 1 1 1',
        'begin 1 2 1',
        'reply e',
        'end 1 2 1',
      ]);
      expect(parser.counters.overlongBlocks).toBe(1);
      const strict = create({}, { maxBlockBytes: 0 });
      expect(() => strict.push(bytes('%begin 1 1 1\n\n%end 1 1 1\n'))).toThrow(
        code('ERR_TMUX_BLOCK_LIMIT'),
      );
    });

    test('a line of megabytes passes', () => {
      for (const body of ['y'.repeat(3_000_000), '\\033'.repeat(700_000)]) {
        const whole = bytes(
          `%begin 1 1 1\n${body}\n%end 1 1 1\n%output %1 ${body}\n%output %2 z\n`,
        );
        const decoded = body.replaceAll('\\033', '\x1b');
        for (const size of [65536, 1 << 20, 1 << 26]) {
          const { events, handler } = collector();
          const cuts = Array.from(
            { length: Math.floor(whole.length / size) },
            (_, i) => (i + 1) * size,
          );
          pushCut(create(handler), whole, cuts);
          expect(events.map((event) => event.length)).toEqual([
            11,
            6 + body.length,
            9,
            9 + decoded.length,
            10,
          ]);
          expect(events[1]!.endsWith(body) && events[3]!.endsWith(decoded)).toBe(true);
        }
      }
    });

    test('checks its options', () => {
      for (const maxLineBytes of [0, 1023, 1.5, Number.NaN, 2 ** 31]) {
        expect(() => create({}, { maxLineBytes })).toThrow(RangeError);
      }
      expect(() => create({}, { maxBlockBytes: -1 })).toThrow(/maxBlockBytes=-1/);
    });
  });

  describe('framing', () => {
    const cc =
      '$ tmux -CC\r\n\x1bP1000p%begin 1 1 0\r\n%end 1 1 0\r\n%output %0 a\\015\\012\r\n%exit\r\n\x1b\\$ ls\r\n';
    test.each(['dcs', 'auto'] as const)('%s passes the shell through, twice', (framing) => {
      const events = ['enter', 'begin 1 1 0', 'end 1 1 0', 'output 0 a\r\n', 'exit ', 'leave'];
      for (let step = 1; step < 40; step += 3) {
        const whole = bytes(cc + cc);
        const cuts = Array.from({ length: Math.ceil(whole.length / step) }, (_, i) => i * step);
        expect(run(Parser, whole, cuts, { ...extra, framing })).toEqual([
          'text $ tmux -CC\r\n',
          ...events,
          'text $ ls\r\n$ tmux -CC\r\n',
          ...events,
          'text $ ls\r\n',
        ]);
      }
    });

    test('auto finds plain lines behind text, and keeps the first of them', () => {
      for (let step = 1; step < 30; step++) {
        const whole = bytes(
          '50% done\n%not-ours\nerror: x\n%begin 1 1 0\n%end 1 1 0\n%output %1 \x1bP1000p\n',
        );
        const cuts = Array.from({ length: Math.ceil(whole.length / step) }, (_, i) => i * step);
        expect(run(Parser, whole, cuts, { ...extra, framing: 'auto' })).toEqual([
          'text 50% done\n%not-ours\nerror: x\n',
          'begin 1 1 0',
          'end 1 1 0',
          'output 1 \x1bP1000p',
        ]);
      }
    });

    test('each section has its own line ends; other CRs are data', () => {
      const section = (eol: string): string =>
        `\x1bP1000p%begin 1 1 1${eol}a\r${eol}%end 1 1 1${eol}b\r${eol}%output %1 c${eol}\x1b\\`;
      const events = [
        'enter',
        'begin 1 1 1',
        'reply a\r',
        'end 1 1 1',
        'stray b\r',
        'output 1 c',
        'leave',
      ];
      const whole = bytes(section('\n') + section('\n') + section('\r\n') + section('\n'));
      expect(run(Parser, whole, [40, 80, 81], { ...extra, framing: 'dcs' })).toEqual([
        ...events,
        ...events,
        ...events,
        ...events,
      ]);
    });

    test('what is not the introducer is text, at once', () => {
      const { events, handler } = collector();
      const parser = create(handler, { framing: 'dcs' });
      parser.push(bytes('\x1bP$q\x1b\\\x1bP1000q\x1b\x1bP1000'));
      expect(events).toEqual(['text \x1bP$q\x1b\\\x1bP1000q\x1b']);
      parser.push(bytes('p'));
      expect(events.at(-1)).toBe('enter');
      expect(parser.insideControlMode).toBe(true);
    });

    test('an unfinished introducer is text when the stream ends', () => {
      expect(run(Parser, bytes('a\x1bP10'), [], { ...extra, framing: 'dcs' })).toEqual([
        'text a\x1bP10',
      ]);
    });
  });

  test('end reports what is unfinished, and only once', () => {
    const { events, handler } = collector();
    const parser = create(handler);
    parser.push(bytes('%begin 1 1 1\nline\nunfini'));
    parser.end();
    parser.end();
    expect(events).toEqual(['begin 1 1 1', 'reply line', 'partial unfini', 'abandon 1 1 1']);
    expect(() => parser.push(bytes('x'))).toThrow(code('ERR_TMUX_ENDED'));
    expect(() => parser.target()).toThrow(code('ERR_TMUX_ENDED'));
  });

  test('resync gives up a reply whose end was lost', () => {
    const { events, handler } = collector();
    const parser = create(handler);
    parser.push(bytes('%begin 1 1 1\n%pause %1\n'));
    parser.resync();
    parser.push(bytes('%pause %1\n%end 1 1 1\n'));
    expect(events).toEqual([
      'begin 1 1 1',
      'reply %pause %1',
      'abandon 1 1 1',
      'notification pause',
      'stray %end 1 1 1',
    ]);
    expect(parser.counters.abandonedBlocks).toBe(1);
  });

  describe('target and commit', () => {
    test('parse what a transport wrote, like push', () => {
      const whole = bytes(
        `%begin 1 1 1\n${'r'.repeat(400_000)}\n%end 1 1 1\n${'%output %1 a\\033b\n'.repeat(60_000)}`,
      );
      const expected = run(Parser, whole, [], { framing: 'lines', ...extra });
      for (const size of [1000, 32768, 300_000]) {
        const { events, handler } = collector();
        const parser = create(handler);
        const between = collector();
        const other = create(between.handler);
        for (let at = 0; at < whole.length; ) {
          const target = parser.target();
          expect(target.length).toBeGreaterThanOrEqual(32768);
          const count = Math.min(size, target.length, whole.length - at);
          target.set(whole.subarray(at, at + count));
          other.push(bytes('%output %9 x\\134\n%out')); // must not touch the lent target
          other.push(bytes('put %8 y\n'));
          parser.commit(count);
          at += count;
        }
        parser.end();
        expect(events.length).toBe(expected.length);
        expect(events.every((event, index) => event === expected[index])).toBe(true);
      }
    });

    test('work from the first byte of a shell', () => {
      const { events, handler } = collector();
      const parser = create(handler, { framing: 'auto' });
      for (const text of ['$ tmux\n%be', 'gin 1 1 1\n%e', 'nd 1 1 1\n']) {
        parser.target().set(bytes(text));
        parser.commit(text.length);
      }
      expect(events).toEqual(['text $ tmux\n', 'begin 1 1 1', 'end 1 1 1']);
    });

    test('check their use', () => {
      const parser = create({});
      expect(() => parser.commit(1)).toThrow(code('ERR_TMUX_TARGET'));
      const { length } = parser.target();
      expect(() => parser.commit(length + 1)).toThrow(RangeError);
    });
  });

  describe('debug mode', () => {
    test('overwrites what was borrowed', () => {
      const kept: Uint8Array[] = [];
      const keep = (b: Uint8Array, s: number, e: number) => kept.push(b.subarray(s, e));
      const parser = create(
        { output: (_, b, s, e) => keep(b, s, e), replyLine: keep, unknown: keep },
        { debug: true },
      );
      parser.push(bytes('%output %1 abc\n%begin 1 1 1\nabc\n%end 1 1 1\nabc\n'));
      expect(kept.map((view) => [...view])).toEqual(Array(3).fill([0xdb, 0xdb, 0xdb]));
    });

    test('shows what lies outside of the range, and finds writes', () => {
      const parser = create(
        {
          output: (_, b, s, e) => {
            expect([b[s - 1], b[e]]).toEqual([0xdb, 0xdb]);
            b[s] = 1;
          },
        },
        { debug: true },
      );
      expect(() => parser.push(bytes('%output %1 abc\n'))).toThrow(code('ERR_TMUX_BORROW'));
    });

    test('changes no event', () => {
      const text = bytes(
        '%output %1 a\\033\n%extended-output %1 2 : b\n%begin 1 1 1\nx\n%error 1 1 1\n%exit why\n%pause %1\n%huh\n',
      );
      expect(run(Parser, text, [5], { ...extra, framing: 'lines', debug: true })).toEqual(
        run(Parser, text, [], { ...extra, framing: 'lines' }),
      );
    });
  });

  test('typed notifications carry their fields', () => {
    const seen: unknown[] = [];
    const parser = create({
      notification: (event) => seen.push(event),
      exit: (reason) => seen.push(reason),
    });
    parser.push(
      bytes(
        [
          '%layout-change @1 b25f,80x24,0,0,0 b25f,80x24,0,0,0 *Z',
          '%layout-change @1   *',
          '%layout-change @2 b25f',
          '%window-renamed @3 ',
          '%unlinked-window-renamed @3 a  b ',
          '%window-pane-changed @1 %2',
          '%subscription-changed a : b $1 @2 3 %4 more : v : w',
          '%subscription-changed  $1 - - - : ',
          '%client-session-changed /dev/pts/1 $2 x y',
          '%client-detached client-12',
          '%session-window-changed $1 @2',
          '%paste-buffer-changed buf 1',
          '%message hello  world',
          '%config-error x',
          '%sessions-changed',
          '%exit too far behind',
          '%exit',
          '',
        ].join('\n'),
      ),
    );
    expect(seen).toEqual([
      {
        type: 'layout-change',
        window: 1,
        layout: 'b25f,80x24,0,0,0',
        visibleLayout: 'b25f,80x24,0,0,0',
        flags: '*Z',
      },
      { type: 'layout-change', window: 1, layout: '', visibleLayout: '', flags: '*' },
      {
        type: 'layout-change',
        window: 2,
        layout: 'b25f',
        visibleLayout: undefined,
        flags: undefined,
      },
      { type: 'window-renamed', window: 3, name: '' },
      { type: 'unlinked-window-renamed', window: 3, name: 'a  b ' },
      { type: 'window-pane-changed', window: 1, pane: 2 },
      {
        type: 'subscription-changed',
        name: 'a : b',
        session: 1,
        window: 2,
        windowIndex: 3,
        pane: 4,
        value: 'v : w',
      },
      {
        type: 'subscription-changed',
        name: '',
        session: 1,
        window: undefined,
        windowIndex: undefined,
        pane: undefined,
        value: '',
      },
      { type: 'client-session-changed', client: '/dev/pts/1', session: 2, name: 'x y' },
      { type: 'client-detached', client: 'client-12' },
      { type: 'session-window-changed', session: 1, window: 2 },
      { type: 'paste-buffer-changed', name: 'buf 1' },
      { type: 'message', text: 'hello  world' },
      { type: 'config-error', text: 'x' },
      { type: 'sessions-changed' },
      'too far behind',
      '',
    ]);
  });
});
