/**
 * Goal: against a real tmux, bytes come out as the programs wrote them, arguments arrive as they were passed,
 * and replies meet their commands. Method: a private server for each test; pipe-pane and files as ground truth.
 * Skipped where there is no tmux; MILLRACE_TMUX adds a binary.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Notification } from '@millrace/tmux-proto';
import { ControlParser } from '@millrace/tmux-proto';
import { countStatements, supports } from '@millrace/tmux-proto/commands';
import { ControlParser as JsParser } from '@millrace/tmux-proto/js';
import { describe, expect, test } from 'vitest';
import { collector, pushCut } from './support/collect.ts';
import { binaries, Server, until } from './support/tmux.ts';

const read = (path: string): Buffer => {
  try {
    return readFileSync(path);
  } catch {
    return Buffer.alloc(0);
  }
};

describe.skipIf(binaries.length === 0).each(binaries)('tmux $version', (binary) => {
  const has = (feature: Parameters<typeof supports>[1]) => supports(binary.version, feature);

  test('every byte from 1 to 255 survives as an argument', {
    skip: !has('octal-quoting'),
  }, async () => {
    const server = new Server(binary, 'exec cat');
    try {
      const all = Uint8Array.from({ length: 255 }, (_, index) => index + 1);
      const file = join(server.folder, 'buffer');
      const check = async (bytes: Uint8Array): Promise<void> => {
        await server.send('set-buffer', '-b', 'b', '--', bytes);
        await server.send('save-buffer', '-b', 'b', file);
        expect(readFileSync(file).equals(Buffer.from(bytes))).toBe(true);
      };
      await check(all);
      await check(all.slice().reverse());
      for (const byte of all) await check(Uint8Array.of(byte));
      for (const byte of all) await check(Uint8Array.of(0x61, byte, byte, 0x20, byte));
      const nasty = [
        ';',
        'a;',
        '\\;',
        '#{pane_id}',
        '$HOME',
        '~',
        '~root',
        '%if 1',
        '{',
        '}',
        "'",
        '"',
        '-t',
        '\n kill-server',
        '日本語 ─│ 😀',
        '#',
        '`id`',
        '#(id)',
        '\\',
        'A=b',
        '\r',
        ' ',
        'a b ',
      ];
      for (const text of nasty) await check(Buffer.from(text));
    } finally {
      await server.close();
    }
  });

  test('bare and quoted words reach tmux as one argument each', async () => {
    const server = new Server(binary, 'exec cat');
    try {
      for (const name of ['a b', "it's", '"q"', '$HOME', 'semi;', '{x}', '~', 'x=y', '%12']) {
        await server.send('set-option', '-g', '@name', name);
        const [line] = await server.send('show-options', '-gqv', '@name');
        expect(line).toBe(name);
      }
    } finally {
      await server.close();
    }
  });

  test('keys and pastes deliver exactly the bytes', async () => {
    const server = new Server(binary, 'exec cat');
    try {
      const path = join(server.folder, 'typed');
      await server.send(
        'respawn-pane',
        '-k',
        '-t',
        '%0',
        `stty raw -echo; printf ready; exec cat > ${path}`,
      );
      await until(() => Buffer.concat(server.chunks).includes('ready'));
      let sent = Buffer.alloc(0);
      const type = async (lines: string[], bytes: Uint8Array): Promise<void> => {
        sent = Buffer.concat([sent, bytes]);
        await Promise.all(lines.map((line) => server.correlator.request(line)));
        await until(() => read(path).length >= sent.length);
        expect(read(path).equals(sent)).toBe(true);
      };
      const { encoder } = server;
      const ascii = Uint8Array.from({ length: 128 }, (_, index) => index);
      const utf8 = Buffer.from('größe 日本語 😀 '.repeat(700));
      const control = Uint8Array.from(
        { length: 400 },
        (_, index) => [27, 91, 65, 13, 10, 127, 9, 3][index % 8]!,
      );
      for (const input of [
        ascii,
        utf8,
        control,
        Buffer.from('ls -l; echo "$HOME" \\ ~ \'x\' #{x}\r'),
      ]) {
        await type(encoder.sendInput(0, input), input);
      }
      const text = Buffer.from(
        Array.from({ length: 60_000 }, (_, index) => 1 + ((index * 37) % 127)),
      );
      for (const input of [text, utf8, Buffer.from('a\0b'), Buffer.alloc(16384, '─')]) {
        await type(encoder.paste(0, input), input);
      }
      await type(encoder.paste(0, utf8, { bracketed: true, buffer: 'it is; mine' }), utf8);
      await type([encoder.sendKeys(0, 'Enter', 'C-c')], Buffer.from('\r\x03'));
    } finally {
      await server.close();
    }
  });

  test('output is what pipe-pane saw, by both engines and any cut', async () => {
    const seen = new Map<number, Buffer[]>();
    const server = new Server(binary, 'exec cat', {
      output: (pane, bytes, start, end) => {
        const list = seen.get(pane) ?? [];
        seen.set(pane, list);
        list.push(Buffer.from(bytes.subarray(start, end)));
      },
    });
    try {
      await server.send('split-window', '-t', '%0', 'exec cat');
      const piped = [0, 1].map((pane) => join(server.folder, `pipe-${pane}`));
      for (const pane of [0, 1]) {
        await server.send('pipe-pane', '-t', `%${pane}`, `cat > ${piped[pane]}`);
        const script = join(server.folder, `run-${pane}.sh`);
        const lines = Array.from(
          { length: 2000 },
          (_, index) =>
            `\\033[3${index % 8}m${index} ─│日 \\\\ ${'x'.repeat(index % 120)}\\033[m\\r\\n`,
        );
        writeFileSync(script, `printf '${lines.join('')}'\nprintf '\\001\\002\\376\\377done\\n'\n`);
      }
      const before = [0, 1].map((pane) => Buffer.concat(seen.get(pane) ?? []).length);
      await Promise.all(
        [0, 1].map((pane) =>
          server.send(
            'respawn-pane',
            '-k',
            '-t',
            `%${pane}`,
            `sh ${server.folder}/run-${pane}.sh; exec cat`,
          ),
        ),
      );
      const output = (pane: number): Buffer =>
        Buffer.concat(seen.get(pane) ?? []).subarray(before[pane]);
      await until(() =>
        [0, 1].every(
          (pane) => output(pane).includes('done') && read(piped[pane]!).includes('done'),
        ),
      );
      for (const pane of [0, 1]) {
        const truth = read(piped[pane]!);
        expect(truth.length).toBeGreaterThan(100_000);
        expect(output(pane).subarray(-truth.length).equals(truth)).toBe(true);
      }
      const stream = Buffer.concat(server.chunks);
      const whole = collector();
      new ControlParser(whole.handler, { framing: 'lines' }).push(stream);
      for (const Parser of [ControlParser, JsParser]) {
        for (const step of [1, 7, 1000]) {
          const part = collector();
          const cuts = Array.from(
            { length: Math.ceil(stream.length / step) },
            (_, index) => index * step,
          );
          pushCut(new Parser(part.handler, { framing: 'lines' }), stream, cuts);
          expect(part.events.join('\n') === whole.events.join('\n')).toBe(true);
        }
      }
    } finally {
      await server.close();
    }
  });

  test('replies meet their commands: errors, sequences, blank lines, fences', async () => {
    const server = new Server(binary, 'exec cat');
    const { correlator, encoder } = server;
    try {
      await expect(server.send('kill-pane', '-t', '%999')).rejects.toMatchObject({
        code: 'ERR_TMUX_COMMAND',
      });
      await expect(server.send('bogus')).rejects.toThrow(/unknown command/);
      const both = await correlator.requestAll(
        encoder.sequence(['display-message', '-p', 'one'], ['display-message', '-p', 'two;']),
        { statements: 2 },
      );
      expect(both.map((reply) => reply.lines)).toEqual([['one'], ['two;']]);
      const failed = correlator.requestAll(
        encoder.sequence(['display-message', '-p', 'x'], ['bogus'], ['display-message', '-p', 'y']),
        { statements: 3 },
      );
      await expect(failed).rejects.toThrow(/bogus/);
      for (const line of [
        'display -p "a;" ; display -p b',
        'display -p a\\; ; display -p b;display -p c',
        "display -p 'x;' # ; display -p y",
        '  # nothing',
        'display -p "#{pane_id}" ; display -p x#y ; display -p #{a} ; display -p z',
      ]) {
        let seen = 0;
        const onReply = (): number => seen++;
        correlator.requestAll(`${line}\n`, { statements: 99, onReply }).catch(() => {});
        await correlator.fence();
        expect({ line, count: seen }).toEqual({ line, count: countStatements(line) });
      }
      const many = await Promise.all(
        Array.from({ length: 300 }, (_, index) =>
          server.send('display-message', '-p', `n${index}`),
        ),
      );
      expect(many.map(([line]) => line)).toEqual(many.map((_, index) => `n${index}`));
      // A comment gets no reply at all: only a fence tells.
      const comment = correlator.request('# nothing\n');
      await correlator.fence();
      await expect(comment).rejects.toMatchObject({ code: 'ERR_TMUX_LOST' });
      expect(correlator.pending).toBe(0);
    } finally {
      await server.close();
    }
  });

  test('flow control, sizes, flags and subscriptions are understood', {
    skip: !has('flow-control'),
  }, async () => {
    const events: Notification[] = [];
    const extended: number[] = [];
    const server = new Server(binary, 'exec cat', {
      notification: (event) => events.push(event),
      extendedOutput: (pane) => extended.push(pane),
    });
    const { correlator, encoder } = server;
    try {
      await correlator.request(encoder.resize(90, 20));
      expect(
        await server.send('display-message', '-p', '#{window_width}x#{window_height}'),
      ).toEqual(['90x20']);
      await correlator.request(encoder.setFlags({ pauseAfterSeconds: 5 }));
      await correlator.request(encoder.subscribe('where', '%*', '#{pane_id}: x'));
      await until(() => events.some((event) => event.type === 'subscription-changed'));
      expect(events.find((event) => event.type === 'subscription-changed')).toMatchObject({
        name: 'where',
        pane: 0,
        value: '%0: x',
      });
      await correlator.request(encoder.unsubscribe('where'));
      for (const line of encoder.sendInput(0, 'hello\r')) await correlator.request(line);
      await until(() => extended.length > 0);
      await correlator.request(encoder.flow(0, 'pause'));
      await correlator.request(encoder.flow(0, 'continue'));
      if (has('window-size')) await correlator.request(encoder.resizeWindow(0, 70, 15));
    } finally {
      await server.close();
    }
  });
});
