/**
 * The file format of a recorded connection: every chunk as it was read or written, with its time.
 *
 * ```text
 * "MILLRACE-RECORDING 1\n"   magic and version
 * {"tmux":"3.3a",...}\n       header: one line of JSON
 * frame*                      until the end of the file
 *
 * frame   0             4                    8
 *         +-------------+--------------------+----------------
 *         | u32 delay   | u32 length*2 + dir | length bytes
 *         +-------------+--------------------+----------------
 * delay: microseconds since the previous frame. dir: 0 from tmux, 1 to tmux. Little endian.
 * ```
 *
 * A file may be gzipped as a whole. Reading checks every length against what is there: a damaged file gives
 * `ERR_RECORDING_FORMAT`, never a partial success, except that a last frame cut short (the recorder was
 * killed) is dropped and reported as `truncated`.
 */
import { BridgeError, checkArgument } from '../errors.ts';

const recordingMagic = 'MILLRACE-RECORDING 1\n';
const frameHeaderBytes = 8;
const headerBytesMax = 65_536;
const recordingBytesMax = 1 << 30;

/** What is known of a recorded connection. */
export interface RecordingHeader {
  /** tmux's version as `tmux -V` prints it after `tmux `. */
  readonly tmux: string;
  /** When it was recorded (ISO 8601). */
  readonly date?: string;
  /** What was recorded, in a sentence. */
  readonly description?: string;
}

/** One chunk of a recorded connection. */
export interface RecordingFrame {
  /** Microseconds since the start of the recording. */
  readonly atMicroseconds: number;
  /** True for what was sent to tmux. */
  readonly toTmux: boolean;
  /** The bytes; a view of the file's content. */
  readonly bytes: Uint8Array;
}

/** A parsed recording. */
export interface Recording {
  /** What is known of it. */
  readonly header: RecordingHeader;
  /** What was read and written, in order. */
  readonly frames: readonly RecordingFrame[];
  /** True if the last frame was cut short and left out. */
  readonly truncated: boolean;
}

/** Returns the start of a recording file. */
export function encodeRecordingHeader(header: RecordingHeader): Uint8Array {
  return Buffer.from(`${recordingMagic}${JSON.stringify(header)}\n`);
}

/** Returns one frame's bytes. */
export function encodeFrame(
  delayMicroseconds: number,
  toTmux: boolean,
  bytes: Uint8Array,
): Uint8Array {
  const frame = Buffer.allocUnsafe(frameHeaderBytes + bytes.length);
  frame.writeUInt32LE(Math.min(0xffff_ffff, Math.max(0, Math.round(delayMicroseconds))), 0);
  frame.writeUInt32LE(bytes.length * 2 + (toTmux ? 1 : 0), 4);
  frame.set(bytes, frameHeaderBytes);
  return frame;
}

const damaged = (what: string): BridgeError => new BridgeError('ERR_RECORDING_FORMAT', what);

function inflate(file: Uint8Array): Uint8Array {
  if (file[0] !== 0x1f || file[1] !== 0x8b) return file;
  try {
    // Not imported: a session that reads no recording would pay for zlib's memory.
    const { gunzipSync } = process.getBuiltinModule('node:zlib');
    return gunzipSync(file, { maxOutputLength: recordingBytesMax });
  } catch (error) {
    throw new BridgeError(
      'ERR_RECORDING_FORMAT',
      `the recording can't be unzipped: ${error}`,
      error,
    );
  }
}

function parseHeader(text: string): RecordingHeader {
  try {
    const header: unknown = JSON.parse(text);
    if (typeof header === 'object' && header !== null && 'tmux' in header) {
      if (typeof header.tmux === 'string') return header as RecordingHeader;
    }
  } catch {
    // Falls through to the one error below.
  }
  throw damaged(
    `the recording's header is no JSON object with a tmux version: ${text.slice(0, 80)}`,
  );
}

/**
 * Parses a recording file, gzipped or not.
 *
 * @param file - the whole file; frames are views of it (or of its inflated content)
 * @throws {BridgeError} `ERR_RECORDING_FORMAT` if it is no recording or is damaged
 */
export function parseRecording(file: Uint8Array): Recording {
  checkArgument(file instanceof Uint8Array, 'file', 'a Uint8Array', file);
  const data = inflate(file);
  const view = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  if (view.subarray(0, recordingMagic.length).toString('latin1') !== recordingMagic) {
    throw damaged(`the file doesn't begin with ${JSON.stringify(recordingMagic)}`);
  }
  const headerEnd = view.indexOf(0x0a, recordingMagic.length);
  if (headerEnd < 0 || headerEnd > headerBytesMax) {
    throw damaged(`the recording's header has no end within ${headerBytesMax} bytes`);
  }
  const header = parseHeader(view.subarray(recordingMagic.length, headerEnd).toString('utf8'));
  const frames: RecordingFrame[] = [];
  let offset = headerEnd + 1;
  let atMicroseconds = 0;
  let truncated = false;
  while (offset < view.length) {
    if (offset + frameHeaderBytes > view.length) {
      truncated = true;
      break;
    }
    const field = view.readUInt32LE(offset + 4);
    const start = offset + frameHeaderBytes;
    const end = start + (field >>> 1);
    if (end > view.length) {
      truncated = true;
      break;
    }
    atMicroseconds += view.readUInt32LE(offset);
    const bytes = view.subarray(start, end);
    frames.push({ atMicroseconds, toTmux: (field & 1) === 1, bytes });
    offset = end;
  }
  return { header, frames, truncated };
}
