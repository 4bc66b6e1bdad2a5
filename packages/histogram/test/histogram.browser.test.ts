// Goal: everything works in a browser as it does in Node: recording across a Worker, codecs without zlib,
// reports that the browser itself parses. Method: real Chromium, cross-origin isolated.
import { Histogram, measureClock, SharedHistogram } from '@millrace/histogram';
import { decodeBase64, encodeBase64 } from '@millrace/histogram/codec';
import { percentileSpectrumSvg, toHtmlReport } from '@millrace/histogram/report';
import { describe, expect, it } from 'vitest';

const filled = (): Histogram => {
  const histogram = new Histogram();
  for (let value = 1; value <= 20_000; value++) histogram.record(value * value);
  return histogram;
};

describe('in Chromium', () => {
  it('encodes and decodes without zlib', () => {
    expect('Buffer' in globalThis).toBe(false);
    const histogram = filled();
    const text = encodeBase64(histogram);
    expect(text.startsWith('HISTFAAA')).toBe(true);
    expect(decodeBase64(text).equals(histogram)).toBe(true);
    // Written by HdrHistogram for Java.
    const java = decodeBase64(
      'HISTFAAAAEV42pNpmSzMwMCgyAABTBDKT4GBgdnNYMcCBvsPEBEJISEuATEZMQ4uASkhIR4nrxg9v2lMaxhvMekILGZkKmcCAEf2CsI=',
    );
    expect([java.count, java.max]).toEqual([741, 2_768_895]);
  });

  it('records from a worker into shared memory', async () => {
    expect(crossOriginIsolated).toBe(true);
    const shared = SharedHistogram.create({ shards: 2 });
    const mine = shared.claim(1);
    const worker = new Worker(new URL('./fixtures/browser-writer.ts', import.meta.url), {
      type: 'module',
    });
    const reader = shared.intervals({ from: 'start' });
    await new Promise<void>((resolve, reject) => {
      worker.onmessage = () => resolve();
      worker.onerror = (event) => reject(new Error(event.message));
      worker.postMessage({ buffer: shared.buffer, count: 50_000 });
      for (let value = 0; value < 1000; value++) mine.record(value);
    });
    expect(shared.total().count).toBe(51_000);
    expect(reader.next().count).toBe(51_000);
    worker.terminate();
  });

  it('draws pictures that the browser parses, and runs nothing', () => {
    const svg = percentileSpectrumSvg([
      { name: '<img src=x onerror=alert(1)>', histogram: filled() },
    ]);
    const picture = new DOMParser().parseFromString(svg, 'image/svg+xml');
    expect(picture.querySelector('parsererror')).toBeNull();
    expect(picture.querySelectorAll('path.run')).toHaveLength(1);
    const html = toHtmlReport({
      title: '<script>document.title="x"</script>',
      runs: [{ name: '"><script>1</script>', histogram: filled() }],
    });
    const page = new DOMParser().parseFromString(html, 'text/html');
    expect(page.querySelectorAll('script, img')).toHaveLength(0);
    expect(page.querySelector('h1')!.textContent).toContain('<script>');
  });

  it('knows its coarse clock', () => {
    const { resolutionNanoseconds } = measureClock(undefined, 1000);
    expect(resolutionNanoseconds).toBeGreaterThanOrEqual(4000);
  });
});
