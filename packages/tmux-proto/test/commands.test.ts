/**
 * Goal: whatever a caller passes stays one argument of one command, in every version; plans reach the limits
 * but don't pass them. Method: examples, and properties with a model of tmux's lexer.
 */

import {
  CommandEncoder,
  CommandError,
  countStatements,
  encodeCommand,
  keyName,
  supports,
  versionOrder,
} from '@millrace/tmux-proto/commands';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

/** What tmux >= 3.0 makes of a line of bare words and double quotes. */
function lex(line: string): number[][] {
  const words: number[][] = [];
  for (let at = 0; line[at] !== '\n'; ) {
    const word: number[] = [];
    if (line[at] === '"') {
      for (at++; line[at] !== '"'; ) {
        if (line[at] === '\\') {
          word.push(Number.parseInt(line.slice(at + 1, at + 4), 8));
          at += 4;
        } else word.push(line.charCodeAt(at++));
      }
      at++;
    } else while (line[at] !== ' ' && line[at] !== '\n') word.push(line.charCodeAt(at++));
    words.push(word);
    if (line[at] === ' ') at++;
  }
  return words;
}

describe('encodeCommand', () => {
  test('keeps every byte but NUL inside its argument', () => {
    const bytes = fc.uint8Array({ maxLength: 60 }).map((b) => b.map((byte) => byte || 1));
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            bytes,
            fc.string({ unit: 'binary' }).map((s) => s.replaceAll('\0', '')),
          ),
          { minLength: 1 },
        ),
        (words) => {
          const line = encodeCommand(...words);
          expect(line).toMatch(/^[\x20-\x7e]*\n$/);
          expect(lex(line)).toEqual(words.map((word) => [...Buffer.from(word as string)]));
        },
      ),
    );
  });

  test('quotes what tmux would read specially', () => {
    for (const word of [
      '%if',
      '{',
      '}',
      ';',
      'a;',
      '~',
      '~root',
      '$HOME',
      '#',
      '#{x}',
      "'",
      'A=b',
      '',
      '"',
    ]) {
      expect(encodeCommand(word), word).toMatch(/^"/);
    }
    for (const word of ['%12', '@1', ':1', '-t', 'a/b.c'])
      expect(encodeCommand(word)).toBe(`${word}\n`);
  });

  test('refuses NUL, no words and too many words', () => {
    for (const bad of [['a', 'b\0'], [], Array.from({ length: 9991 }, () => 'a')]) {
      expect(() => encodeCommand(...bad)).toThrow(CommandError);
    }
  });
});

describe('before tmux 3.0', () => {
  const old = new CommandEncoder('2.1');
  test('uses its few escapes and refuses what it cannot say', () => {
    expect(old.command('x', 'a\r\n\t\x1b"\\$é')).toBe('x "a\\r\\n\\t\\e\\"\\\\\\$é"\n');
    expect(old.command('x', 'a;')).toBe('x "a\\;"\n');
    expect(() => old.command('x', '\x01')).toThrow(/0x01/);
    expect(() => old.command('x', new Uint8Array([0xff]))).toThrow(/UTF-8/);
  });
  test('has other forms of keys and sizes, and says what it lacks', () => {
    expect(old.resize(80, 24)).toBe('refresh-client -C 80,24\n');
    expect(old.sendInput(1, '\x1b')).toEqual(['send-keys -t %1 0x1b\n']);
    expect(() => old.flow(1, 'pause')).toThrow(/needs tmux 3.2/);
  });

  test('bytes that are no text go one by one to a tmux that would drop them', () => {
    const bytes = Uint8Array.of(0x61, 0xff, 0x62);
    expect(new CommandEncoder('3.1c').sendInput(1, bytes)).toEqual([
      'send-keys -t %1 -H 61 ff 62\n',
    ]);
    expect(new CommandEncoder('3.2').sendInput(1, bytes)).toHaveLength(1);
    expect(new CommandEncoder('3.2').sendInput(1, bytes)[0]).toContain(' -l -- ');
    expect(new CommandEncoder('3.1c').sendInput(1, 'é')[0]).toContain(' -l -- ');
  });
});

describe('plans', () => {
  const encoder = new CommandEncoder('3.3a');
  /** What the program gets from a plan of keys. */
  const typed = (lines: string[]): Buffer =>
    Buffer.concat(
      lines.map((line) => {
        const words = lex(line);
        const hex = 3; // send-keys -t %7 -H ...
        if (Buffer.from(words[hex]!).toString() !== '-H') return Buffer.from(words.at(-1)!);
        return Buffer.from(
          words.slice(hex + 1).map((w) => Number.parseInt(Buffer.from(w).toString(), 16)),
        );
      }),
    );

  test('sendInput delivers every byte, in commands of bounded size', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 9000, size: 'max' }), (input) => {
        const lines = encoder.sendInput(7, input);
        expect(typed(lines)).toEqual(Buffer.from(input));
        for (const line of lines) {
          if (line.includes(' -H ')) expect(line.length).toBeLessThanOrEqual(20 + 3 * 32 + 1);
        }
      }),
      { numRuns: 50 },
    );
  });

  test('sendInput plans text as it plans the same bytes', () => {
    const encode = new TextEncoder();
    for (const version of ['2.9', '3.0', '3.3a', 'master']) {
      const encoder = new CommandEncoder(version);
      fc.assert(
        fc.property(fc.string({ minLength: 1, maxLength: 20, unit: 'binary-ascii' }), (text) => {
          if (text.includes('\0')) return;
          expect(encoder.sendInput(1, text)).toEqual(encoder.sendInput(1, encode.encode(text)));
        }),
      );
    }
  });

  test('sendInput splits no character', () => {
    const lines = encoder.sendInput(1, '日'.repeat(4000));
    for (const line of lines) {
      const text = Buffer.from(lex(line).at(-1)!).toString();
      expect(text).not.toContain('\ufffd');
    }
  });

  test('paste fills, pastes and deletes one buffer after the other', () => {
    const lines = encoder.paste(2, Buffer.alloc(40_000, 'x'));
    expect(lines.map((line) => line.slice(0, line.indexOf(' ')))).toEqual([
      'set-buffer',
      'paste-buffer',
      'set-buffer',
      'paste-buffer',
      'set-buffer',
      'paste-buffer',
    ]);
    const bracketed = encoder.paste(2, Buffer.alloc(40_000, 'x'), { bracketed: true });
    expect(bracketed.filter((line) => line.startsWith('set-buffer -a'))).toHaveLength(2);
    expect(bracketed.at(-1)).toBe('paste-buffer -d -r -p -b millrace -t %2\n');
    expect(encoder.paste(2, 'a\0b')[2]).toBe('send-keys -t %2 -H 00\n');
  });

  test('flags, subscriptions, flow control', () => {
    expect(encoder.setFlags({ pauseAfterSeconds: 1, noOutput: false })).toBe(
      'refresh-client -f "pause-after=1,!no-output"\n',
    );
    expect(encoder.subscribe('title', '%*', '#{pane_title}')).toBe(
      'refresh-client -B "title:%*:#{pane_title}"\n',
    );
    expect(encoder.flow(3, 'continue')).toBe('refresh-client -A "%3:continue"\n');
    expect(() => encoder.resize(0, 10)).toThrow(RangeError);
    expect(supports('3.7', 'safe-pane-off') && !supports('3.6b', 'safe-pane-off')).toBe(true);
  });
});

test('statements are counted as tmux separates them', () => {
  const counts: [string, number][] = [
    ['', 0],
    ['   ', 0],
    ['# x ; y', 0],
    ['a', 1],
    ['a ;', 1],
    ['a;b', 2],
    ['a ; b ; c', 3],
    ['a ";" b', 1],
    ["a ';' b", 1],
    ['a \\; b', 1],
    ['a "x\\";" b', 1],
    ['a # b ; c', 1],
    ['if -F 1 { a ; b } { c } ; d', 2],
    ['a #{x;y}', 1],
    ['a x#y ; b', 2],
    ['a\nb', 1],
  ];
  for (const [line, count] of counts) expect(countStatements(line), line).toBe(count);
  fc.assert(
    fc.property(
      fc.array(
        fc.array(
          fc.string({ minLength: 1 }).map((s) => s.replaceAll('\0', 'x')),
          { minLength: 1 },
        ),
      ),
      (commands) => {
        expect(countStatements(new CommandEncoder().sequence(...commands))).toBe(commands.length);
      },
    ),
  );
});

test('keys have the names that tmux knows', () => {
  expect(keyName('F5')).toBe('F5');
  expect(keyName('Delete', { shiftKey: true, ctrlKey: true, altKey: true })).toBe('C-M-S-DC');
  expect(keyName('C', { ctrlKey: true, shiftKey: true })).toBe('C-c');
  expect(keyName('日')).toBe('日');
  for (const none of ['Dead', 'Control', 'Unidentified', '\x03', ''])
    expect(keyName(none)).toBeUndefined();
});

test('versions are ordered as they came', () => {
  const order = [
    '1.8',
    '1.9a',
    '2.0',
    '2.9',
    '2.9a',
    '3.0',
    '3.3',
    '3.3a',
    'tmux 3.4',
    '3.5',
    'next-3.8',
    '3.10',
    'master',
  ];
  const numbers = order.map(versionOrder);
  expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
});
