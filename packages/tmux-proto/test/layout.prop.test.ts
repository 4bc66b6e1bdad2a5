/**
 * Goal: layout strings of any version, size and depth are read, written and measured right. Method: random
 * splits of a window with a naive picture of it as the model; the layouts of all recordings; broken texts.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { Layout, LayoutError, type LayoutTree, layoutChecksum } from '@millrace/tmux-proto/layout';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

/** A random split of a rectangle into panes, as tmux does it: one column or row of border between. */
const tree: fc.Arbitrary<LayoutTree> = fc.infiniteStream(fc.nat(1000)).map((numbers) => {
  let pane = 0;
  const next = (): number => numbers.next().value as number;
  const grow = (x: number, y: number, width: number, height: number, depth: number): LayoutTree => {
    const columns = next() % 2 === 0;
    const size = columns ? width : height;
    if (depth > 4 || size < 5 || next() % 3 === 0) return { x, y, width, height, pane: pane++ };
    const children: LayoutTree[] = [];
    for (let from = 0; from < size; ) {
      const rest = size - from;
      const length = rest < 5 || children.length === 4 ? rest : 1 + (next() % (rest - 2));
      const last = rest - length < 2;
      const taken = last ? rest : length;
      children.push(
        columns
          ? grow(x + from, y, taken, height, depth + 1)
          : grow(x, y + from, width, taken, depth + 1),
      );
      from += taken + 1;
    }
    return children.length < 2
      ? { x, y, width, height, pane: pane++ }
      : { x, y, width, height, split: columns ? 'columns' : 'rows', children };
  };
  return grow(0, 0, 3 + (next() % 60), 3 + (next() % 30), 0);
});

/** Paints a tree: the number of the pane in each place, -1 for borders. */
function paint(root: LayoutTree): Int32Array {
  const picture = new Int32Array(root.width * root.height).fill(-1);
  const visit = (cell: LayoutTree): void => {
    for (const child of cell.children ?? []) visit(child);
    if (cell.pane === undefined) return;
    for (let y = cell.y!; y < cell.y! + cell.height; y++) {
      for (let x = cell.x!; x < cell.x! + cell.width; x++) picture[y * root.width + x] = cell.pane;
    }
  };
  visit(root);
  return picture;
}

describe('random layouts', () => {
  test('survive writing and reading, and every place is where it was painted', () => {
    fc.assert(
      fc.property(tree, (root) => {
        const layout = Layout.from(root);
        const text = layout.toString();
        const again = Layout.parse(text);
        expect(again.toString()).toBe(text);
        const picture = paint(root);
        expect(new Set(again.panes())).toEqual(new Set([...picture].filter((pane) => pane >= 0)));
        for (let y = 0; y < root.height; y++) {
          for (let x = 0; x < root.width; x++) {
            const hit = again.at(x, y);
            expect(hit.pane).toBe(picture[y * root.width + x]);
            expect(hit.kind).toBe(hit.pane < 0 ? 'border' : 'pane');
            if (hit.kind === 'border') expect(again.parent(hit.before)).toBe(hit.cell);
          }
        }
        expect(again.at(root.width, 0).kind).toBe('outside');
        expect(again.at(-1, 0).kind).toBe('outside');
      }),
      { numRuns: Number(process.env['FC_RUNS'] ?? 400) / 8 },
    );
  });

  test('broken texts give a typed error, never another', () => {
    fc.assert(
      fc.property(
        tree,
        fc.nat(),
        fc.constantFrom(...'0x,{}[]<>-a~'),
        fc.boolean(),
        (root, at, char, insert) => {
          const body = Layout.from(root).toString().slice(5);
          const place = at % (body.length + 1);
          const broken = body.slice(0, place) + char + body.slice(insert ? place : place + 1);
          const text = `${layoutChecksum(broken).toString(16).padStart(4, '0')},${broken}`;
          try {
            const once = Layout.parse(text).toString(); // it may have become another layout
            expect(Layout.parse(once).toString()).toBe(once);
          } catch (error) {
            if (!(error instanceof LayoutError)) throw error;
            expect(error.code).toBe('ERR_TMUX_LAYOUT');
          }
        },
      ),
    );
  });
});

test('every layout in the recordings reads, and writes to the same text', () => {
  const folder = new URL('./fixtures/recordings/', import.meta.url);
  const seen = new Set<string>();
  for (const name of readdirSync(folder)) {
    if (!name.endsWith('.gz')) continue;
    const text = gunzipSync(readFileSync(new URL(name, folder))).toString('latin1');
    for (const [, layout, visible] of text.matchAll(
      /^%layout-change @\d+ (\S*)(?: (\S*) \S*)?\r?$/gm,
    )) {
      seen.add(layout!).add(visible ?? '');
    }
  }
  for (const layout of seen) expect(Layout.parse(layout).toString()).toBe(layout);
  expect(seen.size).toBeGreaterThan(500);
  expect(seen.has('')).toBe(true);
});

test('floating panes lie over the others, topmost first, and count once', () => {
  const layout = Layout.parse(
    'b104,100x40,0,0[100x40,0,0,0,50x10,4,2,1,28x8,6,4,2]<28x8,6,4,2,50x10,4,2,1>',
  );
  expect(layout.panes()).toEqual([0, 2, 1]);
  expect(layout.at(10, 5)).toMatchObject({ kind: 'pane', pane: 2, floating: true });
  expect(layout.at(5, 4)).toMatchObject({ kind: 'border', pane: 2, floating: true });
  expect(layout.at(40, 5)).toMatchObject({ kind: 'pane', pane: 1 });
  expect(layout.at(60, 20)).toMatchObject({ kind: 'pane', pane: 0, floating: false });
  expect(layout.rectangle(1)).toEqual({ x: 4, y: 2, width: 50, height: 10 });
  const alone = Layout.parse('c872,20x5,-4,-2,3<20x5,-4,-2,3>');
  expect(alone.panes()).toEqual([3]);
  expect(alone.at(0, 0)).toMatchObject({ kind: 'pane', pane: 3 });
  expect(alone.at(50, 0).kind).toBe('outside');
});

test('a tree may be deeper than any stack', () => {
  const depth = 200_000;
  const body = `${'9x9,0,0{'.repeat(depth)}9x9,0,0,7${'}'.repeat(depth)}`;
  const text = `${layoutChecksum(body).toString(16).padStart(4, '0')},${body}`;
  const layout = Layout.parse(text);
  expect(layout.count).toBe(depth + 1);
  expect(layout.at(1, 1).pane).toBe(7);
  expect(layout.toString() === text).toBe(true);
});

test('empty layouts, panes without numbers, wrong checksums, border status', () => {
  expect(Layout.parse('')).toMatchObject({ count: 0 });
  expect(Layout.parse('').at(0, 0).kind).toBe('outside');
  const plain = '80x24,0,0[80x12,0,0,80x11,0,13]';
  const text = `${layoutChecksum(plain).toString(16).padStart(4, '0')},${plain}`;
  expect(Layout.parse(text).toString()).toBe(text);
  expect(Layout.parse(`0000,${plain}`, { checksum: false }).count).toBe(3);
  expect(() => Layout.parse(`0000,${plain}`)).toThrow(/checksum/);
  for (const bad of ['b25f', 'b25f,', '0000,1x1,0,0{}', '0000,99999999999x1,0,0']) {
    expect(() => Layout.parse(bad, { checksum: false })).toThrow(LayoutError);
  }
  const layout = Layout.from({
    width: 80,
    height: 24,
    split: 'rows',
    children: [
      { width: 80, height: 12, pane: 1 },
      { width: 80, height: 11, y: 13, pane: 2 },
    ],
  });
  expect(layout.rectangle(1, 'top')).toEqual({ x: 0, y: 1, width: 80, height: 11 });
  expect(layout.rectangle(2, 'top')).toEqual({ x: 0, y: 13, width: 80, height: 11 });
  expect(layout.rectangle(2, 'bottom')).toEqual({ x: 0, y: 13, width: 80, height: 10 });
  expect(layout.rectangle(9)).toBeUndefined();
  expect(() => layout.cell(9)).toThrow(RangeError);
  expect(() => Layout.from({ width: 1, height: 1, split: 'rows' })).toThrow(LayoutError);
});
