/** Every engine under test: name, constructor, options that choose it. */

import { ControlParser, type ParserOptions } from '@millrace/tmux-proto';
import { ControlParser as JsParser } from '@millrace/tmux-proto/js';
import type { Construct } from './collect.ts';

export const engines: [string, Construct, ParserOptions][] = [
  ['js', JsParser, {}],
  ['adaptive', ControlParser as Construct, { engine: 'adaptive' } as ParserOptions],
  ['wasm', ControlParser as Construct, { engine: 'wasm' } as ParserOptions],
];
