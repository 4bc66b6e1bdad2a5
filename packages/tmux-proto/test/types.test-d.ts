/** Goal: the types say what callers may rely on. Method: this file type-checks, or the build is red. */
import type { ControlHandler, Notification, ParserOptions } from '@millrace/tmux-proto';
import { ControlParser, parseNotification } from '@millrace/tmux-proto';
import { ControlParser as JsParser } from '@millrace/tmux-proto/js';
import type { ControlEvent } from '@millrace/tmux-proto/layers';

/** A union of notifications is told apart by `type`, without a cast. */
export function windowOf(event: Notification): number | undefined {
  switch (event.type) {
    case 'window-add':
    case 'layout-change':
    case 'window-renamed':
      return event.window;
    case 'subscription-changed': {
      const window: number | undefined = event.window;
      return window;
    }
    case 'sessions-changed':
      // @ts-expect-error it names no window
      return event.window;
    default:
      return undefined;
  }
}

const result = parseNotification('%pause %1');
if (typeof result !== 'string') windowOf(result);

const handler: ControlHandler = { output: (pane: number, bytes: Uint8Array) => void [pane, bytes] };
const options: ParserOptions = { framing: 'lines', limitPolicy: 'skip' };
new ControlParser(handler, { ...options, engine: 'wasm' });
new JsParser(handler, options);
// @ts-expect-error the plain entry has no choice of engines
new JsParser(handler, { engine: 'wasm' });
// @ts-expect-error no such framing
new ControlParser(handler, { framing: 'cc' });

export const size = (event: ControlEvent): number =>
  event.type === 'output' || event.type === 'passthrough' ? event.bytes.length : 0;
