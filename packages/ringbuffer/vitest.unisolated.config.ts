// The same Chromium, but served without COOP and COEP, as most pages are.
import { browserProject } from '../../vitest.browser.ts';

const { server: _isolating, test, ...rest } = browserProject(import.meta.url);

export default {
  ...rest,
  test: {
    ...test,
    name: 'ringbuffer:unisolated',
    include: ['test/**/*.unisolated.ts'],
    outputFile: { json: 'reports/vitest.unisolated.json' },
  },
};
