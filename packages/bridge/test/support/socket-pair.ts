/** Two ends of a WebSocket without a network: messages arrive in order, later, and may be held back. */
import type { SocketLike } from '@millrace/bridge/web';

type Listener = (event: { data?: unknown; code?: number; reason?: string }) => void;

/** One end. */
export class FakeSocket implements SocketLike {
  binaryType = 'blob';
  readyState = 1;
  bufferedAmount = 0;
  /** Messages sent and not delivered yet. */
  readonly outbox: Uint8Array[] = [];
  closedWith: { code: number | undefined; reason: string | undefined } | undefined;
  /** While true nothing that is sent leaves. */
  isStalled = false;
  /** Delivers a message to the other end. */
  peer!: FakeSocket;
  readonly #listeners = new Map<string, Listener[]>();

  addEventListener(type: string, listener: Listener): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
  }

  emit(type: string, event: Parameters<Listener>[0] = {}): void {
    for (const listener of this.#listeners.get(type) ?? []) listener(event);
  }

  send(data: Uint8Array): void {
    this.outbox.push(data.slice());
    this.bufferedAmount += data.length;
    queueMicrotask(() => this.deliver());
  }

  deliver(): void {
    while (!this.isStalled && this.outbox.length > 0) {
      const data = this.outbox.shift()!;
      this.bufferedAmount -= data.length;
      if (this.peer.readyState === 1) this.peer.emit('message', { data: data.buffer });
    }
  }

  close(code?: number, reason?: string): void {
    if (this.readyState === 3) return;
    this.deliver();
    this.closedWith = { code, reason };
    for (const end of [this, this.peer]) {
      end.readyState = 3;
      end.emit('close', { ...(code !== undefined && { code }) });
    }
  }
}

/** Returns both ends. */
export function socketPair(): [FakeSocket, FakeSocket] {
  const one = new FakeSocket();
  const other = new FakeSocket();
  one.peer = other;
  other.peer = one;
  return [one, other];
}
