/**
 * The viewer's side of the bridge, for pages: reads what `@millrace/bridge/sinks/websocket` sends and draws it. No
 * dependency, nothing of Node.
 *
 * @packageDocumentation
 */
export { BridgeError, type BridgeErrorCode } from '../errors.ts';
export type { Sink } from '../sinks/sink.ts';
export {
  createWebViewer,
  type VisibilitySource,
  type WebViewer,
  type WebViewerOptions,
} from './client.ts';
export {
  type BridgeFrame,
  type ClosedFrame,
  type DrawnFrame,
  type DrawnPane,
  decodeBridgeFrame,
  decodeViewerFrame,
  encodeFrame,
  type FocusFrame,
  frameVersion,
  type InputFrame,
  type OutputFrame,
  type ResizeFrame,
  type SizeFrame,
  type ViewerFrame,
  type VisibleFrame,
} from './frames.ts';
export type { SocketEvent, SocketLike } from './socket.ts';
