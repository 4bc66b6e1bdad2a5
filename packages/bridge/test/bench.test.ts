/**
 * Goal: `millrace bench` measures every contender, tells it as tables, JSON and one HTML file, and leaves nothing
 * behind, however it ends. Method: the command as a process, on a short scenario. What it measures isn't judged.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeBase64 } from '@millrace/histogram/codec';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CommandFolder } from './support/command.ts';
import { hasTmux, until } from './support/tmux.ts';

let folder: CommandFolder;
beforeEach(() => {
  folder = new CommandFolder();
});
afterEach(() => folder.close());

/** PATH without the folders that have a ttyd. */
const pathWithout = (process.env['PATH'] ?? '')
  .split(':')
  .filter((folder) => !existsSync(join(folder, 'ttyd')))
  .join(':');
const short = ['--quick', '--scale', '0.2'];

describe.skipIf(!hasTmux)('millrace bench', () => {
  test('measures the slow link with every baseline, as data and as one HTML file', async () => {
    const html = join(folder.path, 'report.html');
    const run = folder.start(['bench', ...short, '--scenario', 'link', '--json', '--html', html]);
    expect(await run.ended).toEqual([0, null]);
    expect(run.errors).toContain('1/1 link: naive');
    const data = JSON.parse(run.output) as {
      scenarios: {
        name: string;
        contenders: { name: string; notRun?: string; echo: string; rounds: object[] }[];
        figures: { name: string; verdict: string }[];
      }[];
    };
    const [link] = data.scenarios;
    expect(data.scenarios).toHaveLength(1);
    const names = ['millrace', 'naive', 'ack window', 'polling'];
    expect(link!.contenders.map(({ name }) => name)).toEqual(names);
    for (const { notRun, echo, rounds } of link!.contenders) {
      if (notRun !== undefined) continue;
      expect(rounds).toHaveLength(1);
      // Every key is in it, also one that never came back.
      expect(decodeBase64(echo).count).toBe(25);
    }
    expect(link!.figures.map(({ verdict }) => verdict)).not.toContain('not run');
    const page = readFileSync(html, 'utf8');
    expect(page.match(/<svg /g)).toHaveLength(1);
    expect(page).not.toMatch(/<script|https?:\/\/(?!www\.w3\.org\/2000\/svg)/);
    rmSync(html);
    await folder.expectNothingLeft();
  });

  test('compares every byte at a lossless viewer with pipe-pane', async () => {
    const run = folder.start(['bench', ...short, '--scenario', 'lossless']);
    expect(await run.ended).toEqual([0, null]);
    expect(run.output).toMatch(/pane bytes .* 0 bytes .* holds$/m);
    await folder.expectNothingLeft();
  });

  test('watches the memory of a tmux with an ordinary client', async () => {
    const run = folder.start(['bench', ...short, '--scenario', 'mixed', '--json']);
    expect(await run.ended).toEqual([0, null]);
    const data = JSON.parse(run.output) as {
      scenarios: { notRun?: string; figures: { ours?: number }[] }[];
    };
    const [mixed] = data.scenarios;
    if (mixed!.notRun === undefined) expect(mixed!.figures[0]!.ours).toBeGreaterThan(1);
    await folder.expectNothingLeft();
  });

  test('measures ttyd where it is on PATH, and says where it is not', async () => {
    const bin = mkdtempSync(join(tmpdir(), 'millrace-bin-'));
    try {
      const none = folder.start(['bench', ...short, '--scenario', 'ttyd'], { PATH: pathWithout });
      expect(await none.ended).toEqual([0, null]);
      expect(none.output).toContain('not run: ttyd is not on PATH');
      // The real one, or else one that speaks its protocol.
      if (spawnSync('ttyd', ['--version']).error !== undefined) {
        const fake = fileURLToPath(new URL('fixtures/fake-ttyd.mjs', import.meta.url));
        const script = `#!/bin/sh\nexec '${process.execPath}' '${fake}' "$@"\n`;
        writeFileSync(join(bin, 'ttyd'), script, { mode: 0o755 });
      }
      const PATH = `${bin}:${process.env['PATH']}`;
      const run = folder.start(['bench', ...short, '--scenario', 'ttyd', '--json'], { PATH });
      expect(await run.ended).toEqual([0, null]);
      const data = JSON.parse(run.output) as {
        scenarios: {
          contenders: { name: string; notRun?: string; rounds: { floodMbPerSecond: number }[] }[];
        }[];
      };
      for (const { name, notRun, rounds } of data.scenarios[0]!.contenders) {
        expect(notRun).toBe(undefined);
        // The bare reader sends keys alone.
        if (name === 'a bare reader') expect(rounds[0]!.floodMbPerSecond).toBe(0);
        else expect(rounds[0]!.floodMbPerSecond).toBeGreaterThan(0);
      }
      await folder.expectNothingLeft();
    } finally {
      rmSync(bin, { recursive: true });
    }
  });

  test.each([
    ['SIGINT', 'link: millrace', [130, null]],
    ['SIGTERM', 'link: ack window', [143, null]],
    ['SIGINT', 'mixed: millrace', [130, null]],
    ['SIGKILL', 'busy: millrace, worker', [null, 'SIGKILL']],
  ] as const)('leaves nothing behind after %s during %s', async (signal, phase, status) => {
    const run = folder.start(['bench', ...short, '--scenario', phase.split(':')[0]!]);
    await until(() => run.errors.includes(phase), 60_000);
    // In the middle of it, not only at its start.
    await new Promise((resolve) => setTimeout(resolve, 400));
    run.child.kill(signal);
    expect(await run.ended).toEqual(status);
    await folder.expectNothingLeft();
  });
});

test.each([
  [['bench', '--scenario', 'nothing'], 'no such scenario: "nothing"; there are link, '],
  [['bench', '--html', '/nowhere/report.html', ...short, '--scenario', 'lossless'], 'ENOENT'],
])('millrace %j fails and says why', async (args, said) => {
  const run = folder.start(args);
  expect((await run.ended)[0]).not.toBe(0);
  expect(run.errors).toContain(said);
});
