import { browserProject } from '../../vitest.browser.ts';

export default browserProject(import.meta.url);
