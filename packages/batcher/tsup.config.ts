import { base } from '../../tsup.base.ts';

export default base({ entry: { index: 'src/index.ts', sim: 'src/sim/index.ts' } });
