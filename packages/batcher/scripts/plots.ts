// Draws the guide's pictures: `node --conditions=@millrace/source packages/batcher/scripts/plots.ts` from the root.
// Everything is seeded, so the same sources give the same files.
import { writeFileSync } from 'node:fs';
import {
  type CostConfiguration,
  compare,
  comparisonSvg,
  configurations,
  heldOutWorkloads,
  lawPolicy,
  lawPolicyWith,
  linger,
  type PolicyFactory,
  publicWorkloads,
  type Random,
  seededRandom,
  simulate,
  type Workload,
  workloadOf,
} from '@millrace/batcher/sim';

const folder = new URL('../../../docs/guides/', import.meta.url);
const write = (name: string, svg: string): void =>
  writeFileSync(new URL(`batcher-${name}.svg`, folder), svg);

const text = (x: number, y: number, content: string, more = ''): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${more}>${content}</text>`;

const frame = (width: number, height: number, body: string): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12">
<rect width="${width}" height="${height}" fill="#ffffff"/>
${body}
</svg>
`;

const ours = '#c2410c';
const other = '#475569';
const pale = '#cbd5e1';

/** Expected cost of a hold of x, in units of one flush, for three kinds of arrivals. */
function holdPlot(): string {
  const tau = 500;
  const kinds: [string, string, (random: Random) => number][] = [
    ['echoes: the next key is far', other, (random) => 30_000 + random.exponential(50_000)],
    ['a flood: the next chunk is near', ours, (random) => random.exponential(60)],
    [
      'a redraw: two thirds have a next piece',
      '#0369a1',
      (random) => (random.uniform() < 0.67 ? random.between(50, 300) : 16_000),
    ],
  ];
  const x = (hold: number): number => 60 + (hold / 750) * 460;
  const y = (cost: number): number => 250 - (cost / 2.6) * 210;
  const lines = kinds.map(([name, color, draw], k) => {
    const random = seededRandom(3);
    const gaps = Array.from({ length: 4000 }, () => draw(random));
    const points = Array.from({ length: 76 }, (_, i) => {
      const hold = i * 10;
      const cost =
        gaps.reduce((sum, gap) => sum + (gap <= hold ? gap / tau : hold / tau + 1), 0) /
        gaps.length;
      return [hold, cost] as const;
    });
    const best = points.reduce((a, b) => (b[1] < a[1] - 1e-3 ? b : a));
    const path = points
      .map(([hold, cost], i) => `${i === 0 ? 'M' : 'L'}${x(hold).toFixed(1)} ${y(cost).toFixed(1)}`)
      .join('');
    return `<path d="${path}" fill="none" stroke="${color}" stroke-width="2"/>
<circle cx="${x(best[0]).toFixed(1)}" cy="${y(best[1]).toFixed(1)}" r="5" fill="${color}"/>
${text(90, 62 + 16 * k, name, `fill="${color}"`)}`;
  });
  const axes = `<path d="M60 30V250H530" fill="none" stroke="${other}"/>
<path d="M60 ${y(1).toFixed(1)}H530" stroke="${pale}" stroke-dasharray="4 4"/>
${text(532, y(1) + 4, 'flush at once', `fill="${other}"`)}
${[0, 250, 500, 750].map((hold) => text(x(hold), 266, `${hold / 500} tau`, `text-anchor="middle" fill="${other}"`)).join('\n')}
${text(295, 286, 'hold', `text-anchor="middle" fill="${other}"`)}
${text(8, 24, 'expected cost, in flushes', `fill="${other}"`)}`;
  return frame(640, 296, `${axes}\n${lines.join('\n')}`);
}

/** Arrivals and flushes of a few ms, under a policy. */
function track(
  workload: Workload,
  make: PolicyFactory,
  cost: CostConfiguration,
  from: number,
  to: number,
  row: number,
  label: string,
  color: string,
): string {
  const flushes: number[] = [];
  simulate(
    workload,
    (configuration) => {
      const policy = make(configuration);
      return {
        ...policy,
        flushed: (now, ...rest) => {
          flushes.push(now);
          policy.flushed?.(now, ...rest);
        },
      };
    },
    cost,
    { noise: 0 },
  );
  const x = (t: number): number => 150 + ((t - from) / (to - from)) * 600;
  const marks = flushes
    .filter((t) => t >= from && t <= to)
    .map((t) => `<path d="M${x(t).toFixed(1)} ${row - 9}v18" stroke="${color}" stroke-width="2"/>`);
  return `${text(142, row + 4, label, `text-anchor="end" fill="${color}"`)}${marks.join('')}`;
}

function timelinePlot(): string {
  const cost = configurations.ipc;
  const publics = publicWorkloads();
  const find = (name: string): Workload => publics.find((workload) => workload.name === name)!;
  const scenes: [string, Workload, number, number][] = [
    ['typing, echoes in pieces', find('typing'), 20_000_000, 20_400_000],
    ['a redraw 60 times a second', find('TUI 60'), 5_000_000, 5_040_000],
    ['10,000 items a second', find('Poisson 10k'), 2_000_000, 2_020_000],
  ];
  const body = scenes.map(([name, workload, from, to], k) => {
    const top = 24 + k * 104;
    const x = (t: number): number => 150 + ((t - from) / (to - from)) * 600;
    const arrivals = [...workload.times]
      .filter((t) => t >= from && t <= to)
      .map((t) => `<path d="M${x(t).toFixed(1)} ${top + 14}v12" stroke="#94a3b8"/>`);
    return `${text(150, top, `${name}: ${(to - from) / 1000} ms`, 'font-weight="bold" fill="#0f172a"')}
${text(142, top + 24, 'arrivals', `text-anchor="end" fill="${other}"`)}${arrivals.join('')}
${track(workload, linger(5000), cost, from, to, top + 46, 'timer of 5 ms', other)}
${track(workload, lawPolicy, cost, from, to, top + 72, 'millrace', ours)}`;
  });
  return frame(770, 330, body.join('\n'));
}

/** The same arrivals under the two objectives: delay of the oldest item and flushes per second. */
function objectivePlot(): string {
  const rates = [100, 300, 1000, 3000, 10_000, 30_000, 100_000];
  const x = (rate: number): number => 60 + (Math.log10(rate / 100) / 3) * 460;
  const y = (ms: number): number => 210 - (ms / 4.4) * 180;
  const line = (waiting: 'oldest' | 'each', color: string): string => {
    const points = rates.map((rate) => {
      const random = seededRandom(9);
      const arrivals: [number, number][] = [];
      for (let t = 0; arrivals.length < 6000; ) {
        t += random.exponential(1e6 / rate);
        arrivals.push([t, 12]);
      }
      const workload = workloadOf('Poisson', arrivals, arrivals.at(-1)![0]);
      const { delays } = simulate(workload, lawPolicyWith({}, waiting), configurations.ipc);
      const sorted = delays.sort();
      return [x(rate), y(sorted[Math.floor(0.5 * sorted.length)]! / 1000)] as const;
    });
    const path = points.map(
      ([px, py], i) => `${i === 0 ? 'M' : 'L'}${px.toFixed(1)} ${py.toFixed(1)}`,
    );
    const [px, py] = points.at(-1)!;
    return `<path d="${path.join('')}" fill="none" stroke="${color}" stroke-width="2"/>${text(px + 8, py + 4, `waiting: '${waiting}'`, `fill="${color}"`)}`;
  };
  const axes = `<path d="M60 24V210H530" fill="none" stroke="${other}"/>
${rates.map((rate) => text(x(rate), 226, String(rate), `text-anchor="middle" fill="${other}"`)).join('\n')}
${text(295, 244, 'items per second', `text-anchor="middle" fill="${other}"`)}
${[0, 1, 2, 3, 4].map((ms) => text(52, y(ms) + 4, String(ms), `text-anchor="end" fill="${other}"`)).join('\n')}
${text(8, 16, 'median delay, ms', `fill="${other}"`)}`;
  return frame(640, 254, `${axes}\n${line('oldest', ours)}\n${line('each', '#0369a1')}`);
}

write('hold', holdPlot());
write('timeline', timelinePlot());
write('objective', objectivePlot());
const shown = (rows: ReturnType<typeof compare>) =>
  rows.filter((row) => row.policy !== 'each item');
write(
  'public',
  comparisonSvg(
    shown(compare(publicWorkloads(), configurations.ipc)),
    'Cost over the clairvoyant optimum, 17 public workloads',
  ),
);
write(
  'held-out',
  comparisonSvg(
    shown(compare(heldOutWorkloads(), configurations.ipc)),
    'The same, 14 workloads that the law never saw',
  ),
);
