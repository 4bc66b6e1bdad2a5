import { base } from '../../tsup.base.ts';

export default base({
  entry: { index: 'src/index.ts', 'codec/index': 'src/codec/index.ts' },
});
