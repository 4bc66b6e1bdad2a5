// Goal: pictures are well-formed, safe with hostile names, and show what was recorded. Method: examples;
// coordinates are read back from the drawn paths. How they look was judged by eye in Chromium.
import { Histogram } from '@millrace/histogram';
import { decodeBase64 } from '@millrace/histogram/codec';
import {
  bars,
  formatNanoseconds,
  heatmapSvg,
  heatmapText,
  percentileSpectrumSvg,
  percentileTable,
  sparkline,
  toHtmlReport,
} from '@millrace/histogram/report';
import { describe, expect, it } from 'vitest';
import { filled } from './support/arbitraries.ts';

const HOSTILE = '<script>alert("x")</script>&\u001b[31m';

const run = (count: number, spread: number): Histogram => {
  const histogram = new Histogram();
  let state = 1;
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    histogram.record(20_000 * (1 + (state / 2 ** 32) ** 4 * spread));
  }
  return histogram;
};
const intervals = Array.from({ length: 30 }, (_, i) => ({
  startTimeSeconds: 100 + i,
  lengthSeconds: 1,
  histogram: i === 7 ? new Histogram() : run(500, 50),
}));

/** Tags must nest, and text must hold no bare markup. */
const expectWellFormed = (xml: string): void => {
  const open: string[] = [];
  for (const [tag, closing, name, rest] of xml.matchAll(
    /<(\/?)([a-z][a-z0-9]*)((?:"[^"]*"|[^">])*)>/gi,
  )) {
    if (closing === '/') expect(open.pop(), tag).toBe(name);
    else if (!rest!.endsWith('/') && name !== 'meta') open.push(name!);
  }
  expect(open).toEqual([]);
  expect(xml).not.toMatch(/&(?!amp;|lt;|gt;|quot;)/);
  expect(xml).not.toMatch(/NaN|Infinity|undefined/);
  expect(xml).not.toContain('\u001b');
};

describe('a percentile spectrum', () => {
  it('is well-formed for one run, two runs, few and equal values', () => {
    for (const runs of [
      [run(10_000, 100)],
      [run(10_000, 2), run(5000, 3)],
      [filled([5])],
      [filled([0, 0, 0])],
      [filled([7, 7, 7]), filled([0, 1e12])],
    ]) {
      for (const scale of ['auto', 'linear', 'logarithmic'] as const) {
        const svg = percentileSpectrumSvg(
          runs.map((histogram, i) => ({ name: `${HOSTILE}${i}`, histogram })),
          { scale, limits: [{ name: HOSTILE, value: 1e6, percentile: 90 }], title: HOSTILE },
        );
        expectWellFormed(svg);
        expect(svg.match(/class="run"/g)).toHaveLength(runs.length);
      }
    }
  });

  it('wraps its legend, so that no label is cut, and grows by the lines that takes', () => {
    const named = (count: number, name: string) =>
      Array.from({ length: count }, (_, i) => ({ name: `${name} ${i}`, histogram: run(1000, i) }));
    for (const [count, name, width] of [
      [1, 'short', 880],
      [6, 'a bare reader of the same pipe', 1000],
      [4, 'wide', 880],
      [3, 'a name that is wider than a whole line of this narrow picture', 320],
    ] as const) {
      const svg = percentileSpectrumSvg(named(count, name), { width, height: 380 });
      const boxes = [...svg.matchAll(/<rect x="([\d.]+)" y="([\d.]+)" width="14" height="4"/g)].map(
        ([, x, y]) => ({ x: Number(x), y: Number(y) }),
      );
      expect(boxes).toHaveLength(count);
      const lines = new Set(boxes.map(({ y }) => y));
      for (const y of lines) {
        const inLine = boxes.filter((box) => box.y === y);
        const last = inLine.at(-1)!;
        // One that is alone in its line begins at its left edge: there is no better place.
        if (inLine.length === 1) expect(last.x).toBe(16);
        else expect(last.x + 20 + 6 * (name.length + 2)).toBeLessThan(width);
      }
      expect(svg).toContain(`height="${380 + (lines.size - 1) * 18}"`);
      expectWellFormed(svg);
    }
  });

  it('draws lines that rise from the minimum to the maximum', () => {
    const svg = percentileSpectrumSvg([{ name: 'run', histogram: run(10_000, 100) }]);
    const path = /class="run"[^>]* d="M([^"]+)"/.exec(svg)![1]!;
    const points = path.split('L').map((point) => point.split(' ').map(Number));
    for (let i = 1; i < points.length; i++) {
      expect(points[i]![0]).toBeGreaterThanOrEqual(points[i - 1]![0]!);
      expect(points[i]![1]).toBeLessThanOrEqual(points[i - 1]![1]!);
    }
    expect(svg).toContain('>99.9<');
  });

  it('needs values, and at most six runs', () => {
    const code = (name: string) => expect.objectContaining({ code: name });
    expect(() => percentileSpectrumSvg([])).toThrow(code('ERR_HISTOGRAM_EMPTY'));
    expect(() => percentileSpectrumSvg([{ name: 'x', histogram: new Histogram() }])).toThrow(
      code('ERR_HISTOGRAM_EMPTY'),
    );
    const one = { name: 'x', histogram: filled([1]) };
    expect(() => percentileSpectrumSvg(new Array(7).fill(one))).toThrow(
      code('ERR_HISTOGRAM_OPTION'),
    );
  });
});

describe('a heatmap', () => {
  it('is well-formed, with empty and merged intervals', () => {
    for (const columnsMax of [5, 160]) {
      for (const percentile of [99, false] as const) {
        expectWellFormed(heatmapSvg(intervals, { columnsMax, percentile, title: HOSTILE }));
      }
    }
  });

  it('needs values', () => {
    const empty = [{ startTimeSeconds: 0, lengthSeconds: 1, histogram: new Histogram() }];
    for (const draw of [heatmapSvg, heatmapText]) {
      expect(() => draw(empty)).toThrow(expect.objectContaining({ code: 'ERR_HISTOGRAM_EMPTY' }));
    }
    expect(() => heatmapText(intervals, { lines: 0 })).toThrow(
      expect.objectContaining({ code: 'ERR_HISTOGRAM_OPTION' }),
    );
  });

  it('keeps its width in the terminal', () => {
    for (const lines of heatmapText(intervals, { width: 25 }).trimEnd().split('\n')) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are what it takes off
      expect(lines.replaceAll(/\u001b\[[0-9;]*m/g, '').length).toBeLessThanOrEqual(25);
    }
  });
});

describe('a heatmap in the terminal', () => {
  const at = (startTimeSeconds: number, lengthSeconds = 1) => ({
    startTimeSeconds,
    lengthSeconds,
    histogram: filled([1_000_000]),
  });
  /** The picture without colours: line by line, what stands behind the labels of values. */
  const drawn = (list: Parameters<typeof heatmapText>[0], width: number): string[] =>
    heatmapText(list, { width, lines: 4 })
      // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are what it takes off
      .replaceAll(/\u001b\[[0-9;]*m/g, '')
      .trimEnd()
      .split('\n')
      .map((line) => line.slice(11));

  it('lets time run evenly: a gap is a gap, and an interval as wide as any other', () => {
    const lines = drawn([at(100), at(101), at(105), at(106)], 11 + 14);
    const cells = lines.find((line) => /[▀▄]/.test(line))!;
    expect(cells.replaceAll('▀', '▄').trimEnd()).toBe('▄▄▄▄      ▄▄▄▄');
  });

  it('writes times where they are', () => {
    const list = Array.from({ length: 60 }, (_, second) => at(second));
    const lines = drawn(list, 11 + 60);
    const [axis, labels] = [lines.at(-2)!, lines.at(-1)!];
    expect(axis).toHaveLength(60);
    for (const mark of [0, 10, 20, 30, 40, 50]) {
      expect(axis[mark]).toBe('┬');
      expect(labels.slice(mark, mark + 5).trim()).toBe(`${mark} s`);
    }
  });

  it('merges what has no room', () => {
    const lines = drawn(
      Array.from({ length: 1000 }, (_, second) => at(second)),
      11 + 30,
    );
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(30);
    expect(lines.find((line) => /[▀▄]/.test(line))!.length).toBeGreaterThan(25);
  });
});

describe('an HTML report', () => {
  const first = run(10_000, 100);
  const html = toHtmlReport({
    title: HOSTILE,
    runs: [
      { name: HOSTILE, histogram: first },
      { name: 'after', histogram: run(2000, 100) },
    ],
    intervals,
    notes: [HOSTILE],
    limits: [{ name: HOSTILE, value: 1e6 }],
  });

  it('is one file that fetches and runs nothing', () => {
    expectWellFormed(html.slice(html.indexOf('<html')));
    expect(html).not.toMatch(/<script|<link|<img|<iframe|\son[a-z]+=|url\(/i);
    expect(html.match(/https?:[^"' )]*/g) ?? []).toEqual([
      'http://www.w3.org/2000/svg',
      'http://www.w3.org/2000/svg',
    ]);
    expect(html).toContain("default-src 'none'");
  });

  it('holds the data itself', () => {
    const encoded = /<pre>([^<]+)<\/pre>/.exec(html)![1]!;
    expect(decodeBase64(encoded).equals(first)).toBe(true);
  });

  it('of one run compares nothing', () => {
    const one = toHtmlReport({ title: 'one', runs: [{ name: 'one', histogram: first }] });
    expect(one).not.toContain('Mann-Whitney');
  });
});

describe('text', () => {
  it('shows a table with as many nines as there are values for', () => {
    const table = percentileTable([
      { name: 'read', histogram: run(20_000, 10) },
      { name: '\u001b[2J', histogram: filled([1500]) },
    ]);
    expect(table).toContain('p99.99 ');
    expect(table).not.toContain('p99.999');
    expect(table).not.toContain('\u001b');
    expect(table.split('\n')[0]).toContain('?[2J');
    expect(table).toMatch(/p99\.9 .* -\n/);
    expect(percentileTable([{ name: 'none', histogram: new Histogram() }])).toMatch(/max +-\n/);
  });

  it('draws bars that account for every value', () => {
    const histogram = run(5000, 100);
    const lines = bars(histogram, { width: 60 }).trimEnd().split('\n');
    const counts = lines.map((line) =>
      Number(/ ([\d,]+) +[\d.]+ %/.exec(line)![1]!.replaceAll(',', '')),
    );
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(5000);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(60);
    expect(bars(new Histogram())).toBe('no values\n');
    expect(bars(filled([0, 0]))).toContain('100.0 %');
  });

  it('draws a sparkline of anything', () => {
    expect(sparkline([])).toBe('');
    expect(sparkline([0, 0])).toBe('▁▁');
    expect(sparkline([1, Number.NaN, Number.POSITIVE_INFINITY, 7])).toBe('▂ ██');
  });

  it('writes nanoseconds as people do', () => {
    expect([0, 850, 999.6, 1_234_567, 59e9, 90e9].map(formatNanoseconds)).toEqual([
      '0 ns',
      '850 ns',
      '1 µs',
      '1.23 ms',
      '59 s',
      '90 s',
    ]);
    expect(formatNanoseconds(Number.NaN)).toBe('-');
  });
});
