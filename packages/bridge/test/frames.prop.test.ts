/**
 * Goal: every frame comes back as it was; whatever else arrives is decoded or refused with a typed error, never more.
 * Method: random frames through the codec; random, cut and damaged bytes into both decoders; the layout as written down.
 */
import { fc, test } from '@fast-check/vitest';
import {
  BridgeError,
  type BridgeFrame,
  decodeBridgeFrame,
  decodeViewerFrame,
  encodeFrame,
  type ViewerFrame,
} from '@millrace/bridge/web';
import { describe, expect } from 'vitest';

const runs = Number(process.env['FC_RUNS'] ?? 500);
const pane = fc.nat(2 ** 32 - 1);
const offset = fc.maxSafeNat();
const size = fc.nat(65_535);
const bytes = fc.uint8Array({ minLength: 1, maxLength: 300 });

const bridgeFrame: fc.Arbitrary<BridgeFrame> = fc.oneof(
  fc.record({ kind: fc.constant('output' as const), pane, offset, reset: fc.boolean(), bytes }),
  fc.record({ kind: fc.constant('size' as const), pane, columns: size, rows: size }),
  fc.record({ kind: fc.constant('closed' as const), pane }),
);
const viewerFrame: fc.Arbitrary<ViewerFrame> = fc.oneof(
  fc.record({
    kind: fc.constant('drawn' as const),
    panes: fc.array(fc.record({ pane, offset }), { minLength: 1, maxLength: 20 }),
  }),
  fc.record({ kind: fc.constant('visible' as const), hidden: fc.boolean() }),
  fc.record({
    kind: fc.constant('focus' as const),
    pane: fc.option(pane, { nil: undefined }),
  }),
  fc.record({ kind: fc.constant('input' as const), pane, bytes: fc.uint8Array() }),
  fc.record({ kind: fc.constant('resize' as const), columns: size, rows: size }),
);

/** Decodes; a refusal must be the typed one. */
function attempt<Frame>(
  decode: (message: Uint8Array) => Frame,
  message: Uint8Array,
): Frame | undefined {
  try {
    return decode(message);
  } catch (error) {
    expect(error).toBeInstanceOf(BridgeError);
    expect((error as BridgeError).code).toBe('ERR_VIEWER_PROTOCOL');
    expect((error as BridgeError).message.length).toBeLessThan(200);
    return undefined;
  }
}

/** The same bytes at an odd place of a larger buffer, as a socket may hand them over. */
const moved = (message: Uint8Array): Uint8Array => {
  const buffer = new Uint8Array(message.length + 3);
  buffer.set(message, 3);
  return buffer.subarray(3);
};

describe('frames', () => {
  test.prop([bridgeFrame], { numRuns: runs })('of the bridge come back', (frame) => {
    const message = encodeFrame(frame);
    expect(decodeBridgeFrame(moved(message))).toEqual(frame);
    expect(attempt(decodeViewerFrame, message)).toBeUndefined();
  });

  test.prop([viewerFrame], { numRuns: runs })('of a viewer come back', (frame) => {
    const message = encodeFrame(frame);
    expect(decodeViewerFrame(moved(message))).toEqual(frame);
    expect(attempt(decodeBridgeFrame, message)).toBeUndefined();
  });

  test.prop([fc.oneof(bridgeFrame, viewerFrame), fc.nat(), fc.nat(255), fc.nat(400)], {
    numRuns: runs,
  })('that are cut or damaged are refused, or are other frames', (frame, at, value, length) => {
    const message = encodeFrame(frame);
    const damaged = message.slice(0, Math.min(length, message.length));
    if (damaged.length > 0) damaged[at % damaged.length] = value;
    for (const decode of [decodeBridgeFrame, decodeViewerFrame]) {
      const decoded = attempt<BridgeFrame | ViewerFrame>(decode, damaged);
      if (decoded !== undefined) expect(encodeFrame(decoded)).toEqual(damaged);
    }
  });

  test.prop([fc.uint8Array({ maxLength: 200 })], { numRuns: runs })(
    'of no kind at all are refused',
    (message) => {
      for (const decode of [decodeBridgeFrame, decodeViewerFrame]) {
        const decoded = attempt<BridgeFrame | ViewerFrame>(decode, message);
        if (decoded !== undefined) expect(encodeFrame(decoded)).toEqual(message);
      }
    },
  );

  test('look as they are drawn', () => {
    const output = encodeFrame({
      kind: 'output',
      pane: 0x01020304,
      offset: 258,
      reset: true,
      bytes: Uint8Array.of(0x68, 0x69),
    });
    expect(Buffer.from(output).toString('hex')).toBe('01010100040302010000000000207040' + '6869');
    const drawn = encodeFrame({ kind: 'drawn', panes: [{ pane: 7, offset: 1 }] });
    expect(Buffer.from(drawn).toString('hex')).toBe('0110000007000000000000000000f03f');
    const hidden = encodeFrame({ kind: 'visible', hidden: true });
    expect(Buffer.from(hidden).toString('hex')).toBe('01110100');
  });

  test('with offsets that are no count are refused', () => {
    const message = encodeFrame({ kind: 'drawn', panes: [{ pane: 7, offset: 1 }] });
    const view = new DataView(message.buffer);
    for (const wrong of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60]) {
      view.setFloat64(8, wrong, true);
      expect(attempt(decodeViewerFrame, message)).toBeUndefined();
    }
  });
});
