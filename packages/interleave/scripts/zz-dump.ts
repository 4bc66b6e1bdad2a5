import { proofs, racyProofs } from '../../ringbuffer/test/interleave/scenarios.ts';

(globalThis as any).__dump = (ex: any) => {
  const d = ex.debug();
  const { states, threads } = d;
  const w = states.width;
  const n = states.count;
  const names = [
    ...Array.from({ length: threads }, (_, i) => 'T' + i),
    'mem',
    'know',
    'mon',
    'wait',
    'racy',
    'doom',
  ];
  console.log('states', n, 'width', w);
  for (let c = 0; c < Math.min(w, names.length); c++) {
    const set = new Set<number>();
    for (let i = 0; i < n; i++) set.add(states.cells[i * w + c]);
    // states without this column
    const proj = new Set<string>();
    for (let i = 0; i < n; i++) {
      let k = '';
      for (let j = 0; j < w; j++) if (j !== c) k += states.cells[i * w + j] + ',';
      proj.add(k);
    }
    console.log(names[c], 'distinct', set.size, 'states without', proj.size);
  }
  const only = new Set<string>();
  for (let i = 0; i < n; i++) {
    let k = '';
    for (let j = 0; j < threads; j++) k += states.cells[i * w + j] + ',';
    only.add(k);
  }
  console.log('only threads', only.size);
  for (const a of d.automata) {
    const per: any = {};
    for (const nd of a.nodes) {
      const o = (per[nd.op] ??= { nodes: 0, open: 0, maxDepth: 0, kinds: {} });
      o.nodes++;
      if (nd.opening) o.open++;
      o.kinds[nd.access?.kind] = (o.kinds[nd.access?.kind] ?? 0) + 1;
    }
    console.log(
      JSON.stringify(
        Object.fromEntries(Object.entries(per).map(([k, v]: any) => [k, [v.nodes, v.open]])),
      ),
    );
  }
  if (process.argv[3]) {
    const a = d.automata[Number(process.argv[3])];
    const f: string[] = [];
    (a as any).__prints?.forEach((x: string) => f.push(x));
    console.log(f.slice(0, 30).join('\n'));
  }
  for (const a of d.automata) console.log('automaton nodes', a.nodes.length, 'replays', a.replays);
};
const name = process.argv[2]!;
for (const p of [...proofs, ...racyProofs])
  if (p.name.includes(name)) {
    console.log(p.name);
    const r = await p.run();
    console.log(r.message, r.states, r.durationMs);
  }
