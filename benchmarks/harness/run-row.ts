/** Measures one row: interleaved rounds, medians, verdict. */
import type { Contender, Result, Row } from './row.ts';

export const median = (samples: readonly number[]): number => {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
};

const format = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toPrecision(3);

const describe = (row: Row, bar: number): string => {
  if (row.kind === 'comparison') return `${Number(bar.toPrecision(3))}x`;
  return `${row.better === 'lower' ? '<=' : '>='} ${bar} ${row.unit}`;
};

const besideOf = (row: Row): [string, Contender][] => Object.entries(row.beside ?? {});

async function measure(row: Row, rounds: number): Promise<Map<string, number[]>> {
  const contenders: [string, Contender][] = [
    ['ours', row.ours],
    ...Object.entries(row.peers ?? {}),
    ...besideOf(row),
  ];
  const samples = new Map(contenders.map(([name]) => [name, [] as number[]]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, contender] of contenders) {
      globalThis.gc?.();
      samples.get(name)!.push(await contender());
    }
  }
  return samples;
}

export async function runRow(packageName: string, row: Row, rounds?: number): Promise<Result> {
  const base = {
    package: packageName,
    name: row.name,
    unit: row.unit,
    bar: describe(row, row.bar),
    ...(row.stretch === undefined ? {} : { stretch: describe(row, row.stretch) }),
  };
  const reason = row.unavailable?.();
  if (reason !== undefined) return { ...base, peers: {}, verdict: 'not run', reason };
  try {
    await row.setup?.();
    const samples = await measure(row, rounds ?? row.rounds ?? 5);
    const own = samples.get('ours')!;
    const ours = median(own);
    const medians = (names: readonly string[]): Record<string, number> =>
      Object.fromEntries(names.map((name) => [name, median(samples.get(name)!)]));
    const peers = medians(Object.keys(row.peers ?? {}));
    const beside = medians(besideOf(row).map(([name]) => name));
    const figures = Object.values(peers);
    const lower = row.better === 'lower';
    const best = lower ? Math.min(...figures) : Math.max(...figures);
    const ratio = figures.length === 0 ? undefined : lower ? best / ours : ours / best;
    const reaches = (bar: number): boolean =>
      row.kind === 'comparison' ? ratio! >= bar : lower ? ours <= bar : ours >= bar;
    const holds = reaches(row.bar);
    return {
      ...base,
      ours,
      spread: [Math.min(...own), Math.max(...own)],
      peers,
      ...(Object.keys(beside).length === 0 ? {} : { beside }),
      ...(ratio === undefined ? {} : { ratio }),
      verdict: holds ? 'holds' : 'falls short',
      ...(holds || row.note === undefined ? {} : { note: row.note }),
      ...(row.stretch === undefined ? {} : { stretchHolds: reaches(row.stretch) }),
    };
  } catch (error) {
    return { ...base, peers: {}, verdict: 'not run', reason: `failed: ${error}` };
  } finally {
    await row.teardown?.();
  }
}

/** One line of the printed table. */
export const formatResult = (result: Result): string[] => {
  const list = (figures: Readonly<Record<string, number>>): string =>
    Object.entries(figures)
      .map(([name, figure]) => `${name} ${format(figure)}`)
      .join(', ');
  const beside = result.beside === undefined ? '' : ` (beside: ${list(result.beside)})`;
  const peers = list(result.peers) + beside;
  const verdict =
    result.reason !== undefined
      ? `${result.verdict} (${result.reason})`
      : result.verdict +
        (result.stretchHolds ? ', stretch too' : '') +
        (result.note === undefined ? '' : `: ${result.note}`);
  return [
    result.name,
    result.ours === undefined
      ? '-'
      : `${format(result.ours)} (${format(result.spread![0])}-${format(result.spread![1])}) ${result.unit}`,
    peers || '-',
    result.ratio === undefined ? '-' : `${format(result.ratio)}x`,
    result.bar,
    result.stretch ?? '-',
    verdict,
  ];
};
