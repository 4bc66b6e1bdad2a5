/**
 * What goes over a WebSocket between the bridge and a viewer: binary messages, one frame each. Version 1.
 *
 * ```text
 *  every frame    byte 0         1        2         4
 *                 +---------+--------+---------+------
 *                 | version | kind   | flags   | body       numbers are little endian
 *                 | u8 = 1  | u8     | u16     |
 *                 +---------+--------+---------+------
 *
 *  from the bridge                         byte 4       8            16
 *   1 output    flags: 1 = reset                +--------+------------+---------
 *                                               | pane   | offset     | bytes       of the pane, at least one
 *                                               | u32    | f64        |
 *                                               +--------+------------+---------
 *   2 size                                      | pane   | columns u16 | rows u16 |
 *   3 closed                                    | pane   |
 *
 *  from the viewer                         byte 4       8            16
 *  16 drawn                                     | pane   | offset     | and so on, 1 to 4096 times
 *  17 visible   flags: 1 = hidden               (no body)
 *  18 focus     flags: 1 = none                 | pane   |            (no body if none)
 *  32 input                                     | pane   | bytes …                 refused unless the bridge is told to
 *  33 resize                                    | columns u16 | rows u16 |          refused unless the bridge is told to
 * ```
 *
 * F1: `offset` of an output frame is the number of bytes of that pane that this connection has carried before: frames
 *     of a pane follow each other without a gap. After what was skipped the offset goes on; `reset` says that the bytes
 *     begin with a snapshot, which depends on nothing before it.
 * F2: `offset` of a drawn frame is absolute: the viewer has drawn all bytes of the pane before it. Frames that are lost,
 *     doubled or late do no harm.
 * F3: a frame is read in constant memory beyond itself; whatever its bytes are, it is decoded or refused with
 *     `ERR_VIEWER_PROTOCOL`.
 * F4: a version 1 reader refuses other versions, kinds and flags that it doesn't know.
 *
 * Runs in pages and in Node: no dependency. Cost: one copy of an output frame's bytes to encode it, none to decode it.
 */
import { BridgeError } from '../errors.ts';

/** Version of the format; the first byte of each frame. */
export const frameVersion = 1;

/** Bytes of a pane. */
export interface OutputFrame {
  /** Bytes of a pane. */
  readonly kind: 'output';
  /** Number of the pane. */
  readonly pane: number;
  /** Bytes of the pane that were sent before. */
  readonly offset: number;
  /** Whether the bytes begin with a snapshot. */
  readonly reset: boolean;
  /** A view of the message. */
  readonly bytes: Uint8Array;
}

/** Size of a pane. */
export interface SizeFrame {
  /** Size of a pane. */
  readonly kind: 'size';
  /** Number of the pane. */
  readonly pane: number;
  /** Its width. */
  readonly columns: number;
  /** Its height. */
  readonly rows: number;
}

/** A pane is gone. */
export interface ClosedFrame {
  /** A pane is gone. */
  readonly kind: 'closed';
  /** Number of the pane. */
  readonly pane: number;
}

/** A frame that the bridge sends. */
export type BridgeFrame = OutputFrame | SizeFrame | ClosedFrame;

/** How far a pane has been drawn. */
export interface DrawnPane {
  /** Number of the pane. */
  readonly pane: number;
  /** Bytes of it that have been drawn, of all that were sent. */
  readonly offset: number;
}

/** How far panes have been drawn. */
export interface DrawnFrame {
  /** How far panes have been drawn. */
  readonly kind: 'drawn';
  /** The panes, 1 to 4096. */
  readonly panes: readonly DrawnPane[];
}

/** Whether anybody looks. */
export interface VisibleFrame {
  /** Whether anybody looks. */
  readonly kind: 'visible';
  /** True if nobody does. */
  readonly hidden: boolean;
}

/** The pane that has the keyboard. */
export interface FocusFrame {
  /** The pane that has the keyboard. */
  readonly kind: 'focus';
  /** Number of the pane, or none. */
  readonly pane: number | undefined;
}

/** What was typed. */
export interface InputFrame {
  /** What was typed. */
  readonly kind: 'input';
  /** Number of the pane. */
  readonly pane: number;
  /** A view of the message. */
  readonly bytes: Uint8Array;
}

/** The size that the viewer has. */
export interface ResizeFrame {
  /** The size that the viewer has. */
  readonly kind: 'resize';
  /** Its width. */
  readonly columns: number;
  /** Its height. */
  readonly rows: number;
}

/** A frame that a viewer sends. */
export type ViewerFrame = DrawnFrame | VisibleFrame | FocusFrame | InputFrame | ResizeFrame;

const kinds = {
  output: 1,
  size: 2,
  closed: 3,
  drawn: 16,
  visible: 17,
  focus: 18,
  input: 32,
  resize: 33,
} as const;

const headerBytes = 4;
const outputHeaderBytes = 16;
const drawnBytes = 12;
/** Most panes in one drawn frame. */
const drawnPanesMax = 4096;

const refuse = (what: string): BridgeError =>
  new BridgeError('ERR_VIEWER_PROTOCOL', `not a frame: ${what}`);

function frame(kind: keyof typeof kinds, flags: number, bodyBytes: number): [Uint8Array, DataView] {
  const bytes = new Uint8Array(headerBytes + bodyBytes);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, frameVersion);
  view.setUint8(1, kinds[kind]);
  view.setUint16(2, flags, true);
  return [bytes, view];
}

/**
 * Returns a frame as a message.
 *
 * @param value - the frame; numbers are taken modulo their width
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { decodeViewerFrame, encodeFrame } from '@millrace/bridge/web';
 *
 * const message = encodeFrame({ kind: 'drawn', panes: [{ pane: 1, offset: 300 }] });
 * assert.deepEqual(decodeViewerFrame(message), { kind: 'drawn', panes: [{ pane: 1, offset: 300 }] });
 * assert.throws(() => decodeViewerFrame(message.subarray(1)), { code: 'ERR_VIEWER_PROTOCOL' });
 * ```
 */
export function encodeFrame(value: BridgeFrame | ViewerFrame): Uint8Array {
  switch (value.kind) {
    case 'output': {
      const body = outputHeaderBytes - headerBytes + value.bytes.length;
      const [bytes, view] = frame('output', value.reset ? 1 : 0, body);
      view.setUint32(4, value.pane, true);
      view.setFloat64(8, value.offset, true);
      bytes.set(value.bytes, outputHeaderBytes);
      return bytes;
    }
    case 'size': {
      const [bytes, view] = frame('size', 0, 8);
      view.setUint32(4, value.pane, true);
      view.setUint16(8, value.columns, true);
      view.setUint16(10, value.rows, true);
      return bytes;
    }
    case 'closed': {
      const [bytes, view] = frame('closed', 0, 4);
      view.setUint32(4, value.pane, true);
      return bytes;
    }
    case 'drawn': {
      const [bytes, view] = frame('drawn', 0, value.panes.length * drawnBytes);
      value.panes.forEach(({ pane, offset }, index) => {
        view.setUint32(headerBytes + index * drawnBytes, pane, true);
        view.setFloat64(headerBytes + index * drawnBytes + 4, offset, true);
      });
      return bytes;
    }
    case 'visible':
      return frame('visible', value.hidden ? 1 : 0, 0)[0];
    case 'focus': {
      if (value.pane === undefined) return frame('focus', 1, 0)[0];
      const [bytes, view] = frame('focus', 0, 4);
      view.setUint32(4, value.pane, true);
      return bytes;
    }
    case 'input': {
      const [bytes, view] = frame('input', 0, 4 + value.bytes.length);
      view.setUint32(4, value.pane, true);
      bytes.set(value.bytes, 8);
      return bytes;
    }
    case 'resize': {
      const [bytes, view] = frame('resize', 0, 4);
      view.setUint16(4, value.columns, true);
      view.setUint16(6, value.rows, true);
      return bytes;
    }
  }
}

/** The kind and flags of a message, and a view of it; refuses what no version 1 reader may take (F4). */
function open(bytes: Uint8Array, flagsKnown: (kind: number) => number): [DataView, number, number] {
  if (bytes.length < headerBytes) throw refuse(`length=${bytes.length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = view.getUint8(0);
  if (version !== frameVersion) throw refuse(`version=${version}`);
  const kind = view.getUint8(1);
  const flags = view.getUint16(2, true);
  if ((flags & ~flagsKnown(kind)) !== 0) throw refuse(`kind=${kind} flags=${flags}`);
  return [view, kind, flags];
}

const expectLength = (view: DataView, kind: number, length: number): void => {
  if (view.byteLength !== length) throw refuse(`kind=${kind} length=${view.byteLength}`);
};

function offsetAt(view: DataView, at: number): number {
  const offset = view.getFloat64(at, true);
  if (!Number.isSafeInteger(offset) || offset < 0) throw refuse(`offset=${offset}`);
  return offset;
}

/**
 * Reads a message of the bridge.
 *
 * @param bytes - the message; an output frame's `bytes` are a view of it
 * @throws {BridgeError} `ERR_VIEWER_PROTOCOL` if it is no frame that a bridge sends
 */
export function decodeBridgeFrame(bytes: Uint8Array): BridgeFrame {
  const [view, kind, flags] = open(bytes, (one) => (one === kinds.output ? 1 : 0));
  switch (kind) {
    case kinds.output: {
      if (bytes.length <= outputHeaderBytes) throw refuse(`kind=1 length=${bytes.length}`);
      const pane = view.getUint32(4, true);
      const offset = offsetAt(view, 8);
      const reset = flags === 1;
      return { kind: 'output', pane, offset, reset, bytes: bytes.subarray(outputHeaderBytes) };
    }
    case kinds.size: {
      expectLength(view, kind, 12);
      const columns = view.getUint16(8, true);
      return {
        kind: 'size',
        pane: view.getUint32(4, true),
        columns,
        rows: view.getUint16(10, true),
      };
    }
    case kinds.closed:
      expectLength(view, kind, 8);
      return { kind: 'closed', pane: view.getUint32(4, true) };
    default:
      throw refuse(`kind=${kind}`);
  }
}

/**
 * Reads a message of a viewer.
 *
 * @param bytes - the message; an input frame's `bytes` are a view of it
 * @throws {BridgeError} `ERR_VIEWER_PROTOCOL` if it is no frame that a viewer sends
 */
export function decodeViewerFrame(bytes: Uint8Array): ViewerFrame {
  const flagsKnown = (one: number): number =>
    one === kinds.visible || one === kinds.focus ? 1 : 0;
  const [view, kind, flags] = open(bytes, flagsKnown);
  switch (kind) {
    case kinds.drawn: {
      const count = (bytes.length - headerBytes) / drawnBytes;
      if (!Number.isInteger(count) || count < 1 || count > drawnPanesMax) {
        throw refuse(`kind=${kind} length=${bytes.length}`);
      }
      const panes: DrawnPane[] = [];
      for (let at = headerBytes; at < bytes.length; at += drawnBytes) {
        panes.push({ pane: view.getUint32(at, true), offset: offsetAt(view, at + 4) });
      }
      return { kind: 'drawn', panes };
    }
    case kinds.visible:
      expectLength(view, kind, 4);
      return { kind: 'visible', hidden: flags === 1 };
    case kinds.focus:
      expectLength(view, kind, flags === 1 ? 4 : 8);
      return { kind: 'focus', pane: flags === 1 ? undefined : view.getUint32(4, true) };
    case kinds.input:
      if (bytes.length < 8) throw refuse(`kind=${kind} length=${bytes.length}`);
      return { kind: 'input', pane: view.getUint32(4, true), bytes: bytes.subarray(8) };
    case kinds.resize:
      expectLength(view, kind, 8);
      return { kind: 'resize', columns: view.getUint16(4, true), rows: view.getUint16(6, true) };
    default:
      throw refuse(`kind=${kind}`);
  }
}
