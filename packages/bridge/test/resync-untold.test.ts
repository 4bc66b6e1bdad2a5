/**
 * Goal: what a snapshot can't restore is named as long as it is used and no longer; what only the stream tells is
 * restored.
 * Method: a real tmux whose program is the test. A viewer that is there from the beginning makes the bridge follow the
 * pane; another one is attached after each step, and its report and its terminal are looked at.
 */
import { nullSink, type ResyncReport } from '@millrace/bridge';
import { xtermSink } from '@millrace/bridge/sinks/xterm';
import { versionOrder } from '@millrace/tmux-proto/commands';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { cellsOf, cursorOf, newTerminal, type Terminal, written } from './support/cells.ts';
import { type TtyPane, ttyPane } from './support/pane-tty.ts';
import { canResync, type TestServer, testServer } from './support/tmux.ts';

const columns = 20;
const rows = 6;

describe.skipIf(!canResync)('what a program has used', () => {
  let server: TestServer;
  let tty: TtyPane;
  beforeAll(async () => {
    server = testServer();
    tty = await ttyPane(server, { name: 'untold', columns, rows });
    tty.pane.pipe(nullSink(), { policy: 'latest' });
  });
  beforeEach(() => reset());
  afterAll(async () => {
    await tty[Symbol.asyncDispose]();
    await server.close();
  });

  /** Attaches a viewer: what its snapshot says, and a terminal that got it. */
  async function attach(historyLines = 0): Promise<{ report: ResyncReport; terminal: Terminal }> {
    const terminal = newTerminal(columns, rows, 100);
    const told = new Promise<ResyncReport>((resolve) => {
      tty.session.once('resync', (_pane, report) => resolve(report));
    });
    const pipe = tty.pane.pipe(xtermSink(terminal), { policy: 'latest', historyLines });
    const report = await told;
    await pipe.close();
    await written(terminal, '');
    return { report, terminal };
  }

  async function feed(bytes: string): Promise<void> {
    tty.feed(bytes);
    await tty.settled();
  }

  /** Links in cells are named, unless tmux tells them. */
  const links = (): string[] =>
    versionOrder(tty.session.version) < versionOrder('3.4') ? ['hyperlink'] : [];

  /** Everything is known from here on. */
  async function reset(): Promise<void> {
    await feed('\x18\x1b\\\x1b[?1049l\x1bc\x1b[3J\x1b]2;plain\x1b\\');
    await attach();
    await feed('\x1bc');
  }

  const named = async (historyLines = 0): Promise<readonly string[]> =>
    (await attach(historyLines)).report.inexact;

  const link = '\x1b]8;;https://example.org/a\x1b\\link\x1b]8;;\x1b\\';

  test.each([
    ['hyperlink', link, '\x1b[2J'],
    ['hyperlink', '\x1b]8;id=1;file:///x\x07open', '\x1b]8;;\x07\x1b[2J'],
    ['image', '\x1bP0;1q#0;2;0;0;0~\x1b\\', '\x1b[2J'],
    ['image', '\x1b_Ga=T,f=24;AAAA\x1b\\', '\x1bc'],
    ['image', '\x1b]1337;File=inline=1:AAAA\x07', '\x1b[2J'],
    ['keyboard', '\x1b[>1u', '\x1b[<u'],
    ['keyboard', '\x1b[=5;1u', '\x1b[=0u'],
    ['keyboard', '\x1b[>4;2m', '\x1b[>4m'],
    ['mode', '\x1b[?2031h', '\x1b[?2031l'],
    ['mode', '\x1b[?1000;5h', '\x1b[?1000;5l'],
    ['mode', '\x1b[20h', '\x1b[20l'],
    ['mode', '\x1b#6', '\x1bc'],
    ['character-set', '\x1b(A', '\x1b(B'],
    ['character-set', '\x1b*0', '\x1b*B'],
    ['title-stack', '\x1b[22;0t', '\x1b[23;0t'],
    ['palette', '\x1b]5;0;red\x07', '\x1bc'],
    ['palette', `\x1b]11;${'f'.repeat(100)}\x07`, '\x1bc'],
    ['character-width', 'thumb 👍', '\x1b[2J'],
  ])('%s: %j, until %j', async (name, used, undone) => {
    expect(await named()).toEqual([]);
    await feed(used);
    expect(await named()).toEqual(name === 'hyperlink' ? links() : [name]);
    await feed(undone);
    expect(await named()).toEqual([]);
  });

  test.each([
    ['a question about a colour', '\x1b]4;1;?\x07\x1b]11;?\x07'],
    ['other commands of a terminal', '\x1b]7;file:///tmp\x07\x1b]133;A\x07\x1b]52;c;QQ==\x07'],
    ['questions in a device control string', '\x1bP+q544e\x1b\\\x1bP$qm\x1b\\'],
    ['a string that is no picture', '\x1b_title\x1b\\\x1bXa\x1b\\\x1b^G\x1b\\'],
    ['modes that tmux has', '\x1b[?25l\x1b[?25h\x1b[?2004h\x1b[4h\x1b[4l\x1b[?2026h\x1b[?2026l'],
    ['line drawing', '\x1b(0qqq\x1b(B\x1b)0'],
    ['spinners, bars and marks', '⠋█▓✓✗'],
  ])('%s is nothing to name', async (_what, bytes) => {
    await feed(bytes);
    expect(await named()).toEqual([]);
  });

  test('links go with their screen, and stay in the history', async () => {
    await feed(`\x1b[3J\x1b[?1049h${link}\x1b[?1049l`);
    expect(await named()).toEqual([]);
    await feed(`${link}\x1b[?1049h`);
    expect(await named()).toEqual(links()); // on the hidden screen
    await feed('\x1b[?1049l\x1b[2J');
    expect(await named()).toEqual([]);
    expect(await named(50)).toEqual(links());
    await feed('\x1b[3J');
    expect(await named(50)).toEqual([]);
  });

  /** What the sequences of a terminal's stream have set: the last value by command. */
  function watched(terminal: Terminal): Map<string, string> {
    const last = new Map<string, string>();
    for (const number of [2, 8, 10, 11, 12]) {
      terminal.parser.registerOscHandler(number, (text) => {
        last.set(String(number), text);
        if (number > 8) last.delete(String(number + 100));
        return false;
      });
    }
    for (const number of [110, 111, 112]) {
      terminal.parser.registerOscHandler(number, () => {
        last.set(String(number - 100), 'own');
        return false;
      });
    }
    terminal.parser.registerOscHandler(4, (text) => {
      const words = text.split(';');
      for (let at = 0; at < words.length; at += 2) last.set(`4;${words[at]}`, words[at + 1]!);
      return false;
    });
    terminal.parser.registerOscHandler(104, (text) => {
      last.set(`4;${text}`, 'own');
      return false;
    });
    return last;
  }

  test('palette, cursor colour, cursor style, title and the open link are restored', async () => {
    const sent =
      '\x1b]4;1;#102030;200;rgb:11/22/33\x07\x1b]4;2;red\x07\x1b]104;2\x07\x1b]10;white;#111111\x1b\\\x1b]12;#ff0000\x07\x1b]110\x07' +
      '\x1b]2;a title; with ünicode\x07\x1b[5 q\x1b]8;id=7;https://example.org/b;c\x07li';
    await feed(sent);
    const terminal = newTerminal(columns, rows);
    const last = watched(terminal);
    const told = new Promise<ResyncReport>((resolve) => {
      tty.session.once('resync', (_pane, report) => resolve(report));
    });
    const pipe = tty.pane.pipe(xtermSink(terminal), { policy: 'latest' });
    expect((await told).inexact).toEqual(links());
    await pipe.close();
    await written(terminal, '');
    expect(Object.fromEntries(last)).toEqual({
      '4;1': '#102030',
      '4;200': 'rgb:11/22/33',
      '4;2': 'own',
      '10': 'own',
      '11': '#111111',
      '12': '#ff0000',
      '2': 'a title; with ünicode',
      '8': 'id=7;https://example.org/b;c',
    });
    // biome-ignore lint/suspicious/noExplicitAny: xterm.js keeps this state to itself
    const core = (terminal as any)._core;
    expect(core.coreService.decPrivateModes).toMatchObject({
      cursorStyle: 'bar',
      cursorBlink: true,
    });
  });

  test('what follows a picture is where tmux has it, which may have gone below it', async () => {
    const picture = `\x1bPq${'~~~-'.repeat(8)}\x1b\\`;
    for (const at of [0, 5, picture.length - 1]) {
      await reset();
      await feed(`one\r\ntwo\x1b[6Hlast${picture.slice(0, at)}`);
      if (at > 0) expect(await named()).toEqual(['image']);
      await feed(`${picture.slice(at)}next`);
      const { report, terminal } = await attach();
      expect(report).toMatchObject({ inexact: ['image'], attempts: 1 });
      const { lines } = await tty.session.command('capture-pane', '-p', '-t', `%${tty.pane.id}`);
      const { active } = terminal.buffer;
      const shown = lines.map((_, y) =>
        active
          .getLine(active.baseY + y)!
          .translateToString()
          .trimEnd(),
      );
      expect(shown).toEqual(lines);
    }
  });

  test('a cut beside a character of disputed width, until its row is erased', async () => {
    await feed('日本👍日本\x1b[1;2H\x1b[1K');
    expect(await named()).toEqual(['character-width', 'half-character']);
    await feed('\x1b[2K');
    expect(await named()).toEqual([]);
  });

  test('what is right of half a character is where tmux has it', async () => {
    await feed('\x1b[2;1H日本語 text\x1b[2;3H\x1b[1K\x1b[3;1H漢字\x1b[3;2H\x1b[P');
    const { report, terminal } = await attach();
    expect(report.inexact).toEqual([]);
    const text = (y: number): string =>
      terminal.buffer.active.getLine(y)!.translateToString().trimEnd();
    expect(text(1)).toBe('    語 text');
    expect(text(2)).toBe(' 字');
  });

  test('a full row with a character of disputed width is painted once', async () => {
    await feed(`\x1b[2;1H☂${'x'.repeat(columns - 1)}`);
    const { report, terminal } = await attach();
    expect(report.inexact).toEqual(['character-width']);
    const other = newTerminal(columns, rows);
    await written(other, `\x1b[2;1H☂${'x'.repeat(columns - 1)}`);
    expect(cellsOf(terminal)).toEqual(cellsOf(other));
    expect(cursorOf(terminal)).toBe(cursorOf(other));
  });
});
