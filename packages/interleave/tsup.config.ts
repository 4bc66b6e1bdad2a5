import { base } from '../../tsup.base.ts';

export default base({
  entry: {
    index: 'src/index.ts',
    linearize: 'src/linearize.ts',
    'fast-check': 'src/fast-check.ts',
    vitest: 'src/vitest.ts',
    mutate: 'src/mutate.ts',
    'judge-worker': 'src/mutate/judge-worker.ts',
    'mutate-cli': 'src/mutate/cli.ts',
    stress: 'src/stress.ts',
    'stress-worker': 'src/stress-worker.ts',
    'stress-child': 'src/stress/child.ts',
  },
});
