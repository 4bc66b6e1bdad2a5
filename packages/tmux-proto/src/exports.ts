/** What both entries, with and without WebAssembly, export beside their `ControlParser`. */
export { ArgumentRangeError, ParserError, type ParserErrorCode } from './errors.ts';
export { decodedLength, decodeInto, escapeOutput } from './escape.ts';
export { Guard } from './guard.ts';
export type {
  ControlHandler,
  LimitPolicy,
  ParserCounters,
  ParserOptions,
  UnknownReason,
} from './handler.ts';
export {
  type ClientDetached,
  type ClientSessionChanged,
  type ConfigError,
  type LayoutChange,
  type Message,
  type Notification,
  type NotificationResult,
  type PaneFlow,
  type PaneModeChanged,
  type PasteBuffer,
  parseNotification,
  type SessionChanged,
  type SessionRenamed,
  type SessionsChanged,
  type SessionWindowChanged,
  type SubscriptionChanged,
  type WindowAdd,
  type WindowClose,
  type WindowPaneChanged,
  type WindowRenamed,
} from './notifications.ts';
export { ParserBase } from './parser-base.ts';
