/** The consumer of every contender: touches each event, keeps nothing, allocates nothing. */
import type { ControlHandler } from '@millrace/tmux-proto';

export class Sink implements ControlHandler {
  events = 0;
  touched = 0;
  output(pane: number, bytes: Uint8Array, start: number, end: number): void {
    this.events = (this.events + 1) | 0;
    this.touched = (this.touched ^ (bytes[start]! + pane + end)) | 0;
  }
  extendedOutput(pane: number, ageMs: number, bytes: Uint8Array, start: number, end: number): void {
    this.events = (this.events + 1) | 0;
    this.touched = (this.touched ^ (bytes[start]! + pane + ageMs + end)) | 0;
  }
  replyLine(bytes: Uint8Array, start: number, end: number): void {
    this.events = (this.events + 1) | 0;
    this.touched = (this.touched ^ (bytes[start]! + end)) | 0;
  }
  end(): void {
    this.events = (this.events + 1) | 0;
  }
  unknown(_bytes: Uint8Array, start: number, end: number): void {
    this.events = (this.events + end - start) | 0;
  }
  /** For parsers that make strings. */
  text(pane: number, text: string): void {
    this.events = (this.events + 1) | 0;
    this.touched = (this.touched ^ (text.charCodeAt(0) + pane + text.length)) | 0;
  }
}
