/**
 * Goal: a recording reads back as it was written, and a damaged one gives a typed error or says it was cut.
 * Method: random frames through the encoder; random cuts and random bytes.
 */
import { gzipSync } from 'node:zlib';
import { fc, test } from '@fast-check/vitest';
import { BridgeError, parseRecording } from '@millrace/bridge';
import { describe, test as example, expect } from 'vitest';

const runs = Number(process.env['FC_RUNS'] ?? 200);

interface Frame {
  readonly delay: number;
  readonly toTmux: boolean;
  readonly bytes: Uint8Array;
}

/** The format, written down a second time from its description. */
function write(frames: readonly Frame[]): Buffer {
  const parts: Buffer[] = [Buffer.from('MILLRACE-RECORDING 1\n{"tmux":"3.3a"}\n')];
  for (const { delay, toTmux, bytes } of frames) {
    const head = Buffer.alloc(8);
    head.writeUInt32LE(delay, 0);
    head.writeUInt32LE(bytes.length * 2 + Number(toTmux), 4);
    parts.push(head, Buffer.from(bytes));
  }
  return Buffer.concat(parts);
}

const frames = fc.array(
  fc.record({
    delay: fc.integer({ min: 0, max: 0xffff_ffff }),
    toTmux: fc.boolean(),
    bytes: fc.uint8Array({ maxLength: 200 }),
  }),
);

describe('a recording', () => {
  test.prop([frames, fc.boolean()], { numRuns: runs })('reads back', (written, zipped) => {
    const file = write(written);
    const { header, frames: read, truncated } = parseRecording(zipped ? gzipSync(file) : file);
    expect(header.tmux).toBe('3.3a');
    expect(truncated).toBe(false);
    let at = 0;
    expect(read.map(({ toTmux, bytes }) => ({ toTmux, bytes: [...bytes] }))).toEqual(
      written.map(({ toTmux, bytes }) => ({ toTmux, bytes: [...bytes] })),
    );
    for (const [index, frame] of read.entries()) {
      at += written[index]!.delay;
      expect(frame.atMicroseconds).toBe(at);
    }
  });

  test.prop([frames, fc.nat()], { numRuns: runs })(
    'cut anywhere in its frames keeps the whole ones and says so',
    (written, cut) => {
      const file = write(written);
      const headerBytes = write([]).length;
      const length = headerBytes + (cut % (file.length - headerBytes + 1));
      const { frames: read, truncated } = parseRecording(file.subarray(0, length));
      let whole = headerBytes;
      let count = 0;
      for (const { bytes } of written) {
        if (whole + 8 + bytes.length > length) break;
        whole += 8 + bytes.length;
        count++;
      }
      expect(read).toHaveLength(count);
      expect(truncated).toBe(whole < length);
    },
  );

  test.prop([fc.uint8Array({ maxLength: 300 }), fc.nat()], { numRuns: runs })(
    'of random bytes gives a typed error',
    (noise, at) => {
      const file = write([]);
      const index = at % file.length;
      const damaged = Buffer.concat([file.subarray(0, index), noise]);
      try {
        parseRecording(damaged);
      } catch (error) {
        expect(error).toBeInstanceOf(BridgeError);
        expect((error as BridgeError).code).toBe('ERR_RECORDING_FORMAT');
      }
    },
  );

  example('of a gzip bomb or a broken gzip gives a typed error', () => {
    const broken = gzipSync(write([]));
    broken[broken.length - 6]! ^= 0xff;
    expect(() => parseRecording(broken)).toThrow(BridgeError);
  });
});
