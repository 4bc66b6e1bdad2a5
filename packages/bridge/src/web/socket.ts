/** The part of a WebSocket that the bridge uses, on either side: a page's, Node's own, or one of `ws`. */

/** A message, or the end of a connection. */
export interface SocketEvent {
  /** Of a message: what came. */
  readonly data?: unknown;
  /** Of an end: its number. */
  readonly code?: number;
  /** Of an end: what the other side said. */
  readonly reason?: string;
}

/** A WebSocket, as WHATWG has it; those of `ws` fit too. */
export interface SocketLike {
  /** 0 connecting, 1 open, 2 closing, 3 closed. */
  readonly readyState: number;
  /** Bytes that were sent and haven't left. */
  readonly bufferedAmount: number;
  /** How binary messages come; set to `arraybuffer`. */
  binaryType: string;
  /** Takes a `Uint8Array`. */
  // biome-ignore lint/suspicious/noExplicitAny: what a page's takes is typed differently from TypeScript 5.9 on
  send(data: any): void;
  /** Ends the connection. */
  close(code?: number, reason?: string): void;
  /** Has a listener called for each event of a type. */
  // biome-ignore lint/suspicious/noExplicitAny: the event types of pages, Node and `ws` have no common supertype
  addEventListener(type: any, listener: (event: any) => void): void;
}

/** States of a socket. */
export const socketOpen = 1;

/** Returns a binary message's bytes, or undefined for text and what isn't known. */
export function messageBytes(data: unknown): Uint8Array | undefined {
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  if (ArrayBuffer.isView(data)) {
    return new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
  }
  return undefined;
}
