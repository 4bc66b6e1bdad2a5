import { base } from '../../tsup.base.ts';

export default base({
  entry: {
    index: 'src/index.ts',
    'codec/index': 'src/codec/index.ts',
    'export/index': 'src/export/index.ts',
    'report/index': 'src/report/index.ts',
    'simd/index': 'src/simd/index.ts',
  },
});
