import { base } from '../../tsup.base.ts';

const entries = ['index', 'js', 'commands', 'layout', 'layers', 'node'];

export default base({
  entry: Object.fromEntries(entries.map((name) => [name, `src/${name}.ts`])),
});
