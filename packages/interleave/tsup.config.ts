import { base } from '../../tsup.base.ts';

export default base({
  entry: {
    index: 'src/index.ts',
    linearize: 'src/linearize.ts',
    'fast-check': 'src/fast-check.ts',
    vitest: 'src/vitest.ts',
  },
});
