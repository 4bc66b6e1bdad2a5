import { base } from '../../tsup.base.ts';

export default base({
  entry: { index: 'src/index.ts', js: 'src/js.ts', commands: 'src/commands.ts' },
});
