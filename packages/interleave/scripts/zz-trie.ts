import { proofs } from '../../ringbuffer/test/interleave/scenarios.ts';

const K = [
  'load',
  'store',
  'xchg',
  'cas',
  'add',
  'sub',
  'and',
  'or',
  'xor',
  'wait',
  'waitA',
  'notify',
  'read',
  'write',
  'pause',
  'none',
  'idle',
];
(globalThis as any).__dump = (ex: any) => {
  const d = ex.debug();
  const a = d.automata[Number(process.argv[3])];
  const op = Number(process.argv[4]);
  // print tree of op, depth-limited
  const lines: string[] = [];
  const size = new Map<any, number>();
  const count = (n: any): number => {
    let s = 1;
    for (const [, e] of n.edges) if (e.to && e.to.op === op && e.to.parent === n) s += count(e.to);
    size.set(n, s);
    return s;
  };
  const show = (n: any, ind: string) => {
    if (lines.length > 260) return;
    const x = n.access;
    const self = `${K[x.kind]}@${x.at}${x.kind === 0 || x.kind === 12 ? '' : '(' + String(x.a) + ')'}${n.isPrivate ? ' [quiet]' : ''}`;
    const kids = [...n.edges].filter(([, e]: any) => e.to);
    if (kids.length === 1) {
      const [v, e]: any = kids[0];
      lines.push(`${ind}${self} -> ${v}   [${size.get(n)}]`);
      if (e.to.op === op && e.to.parent === n) show(e.to, ind);
      else lines.push(ind + 'END');
    } else
      for (const [v, e] of kids as any) {
        lines.push(`${ind}${self} -> ${v}   [${size.get(e.to) ?? 0}]`);
        if (e.to.op === op && e.to.parent === n) show(e.to, ind + '| ');
        else lines.push(ind + 'END');
      }
  };
  for (const n of a.nodes)
    if (n.op === op && n.opening) {
      count(n);
      lines.push('START');
      show(n, '');
    }
  console.log(lines.join('\n'));
};
for (const p of proofs)
  if (p.name.includes(process.argv[2]!)) {
    await p.run();
  }
