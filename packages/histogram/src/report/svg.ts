/**
 * The few parts that every picture has: elements, axes, colours.
 *
 * Pictures follow the reader's light or dark preference through CSS inside the SVG; nothing is fetched.
 */

/** Escapes text for XML, attributes included. */
export const escapeXml = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    // Control characters are not allowed in XML at all.
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
    .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, '\ufffd');

/** Colours of series, told apart by colour-blind readers too (after Okabe and Ito). */
export const SERIES_COLOURS: readonly string[] = [
  '#0072b2',
  '#d55e00',
  '#009e73',
  '#cc79a7',
  '#b8860b',
  '#56b4e9',
];

/** Where the data is drawn inside the picture. */
export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** One mark on an axis: where, from 0 to 1, and what it says. */
export interface Tick {
  readonly at: number;
  readonly text: string;
  /** Whether the line is drawn without text where texts would collide. */
  readonly minor?: boolean;
}

/** Writes a coordinate: a tenth of a pixel is enough. */
export const px = (value: number): string => (Math.round(value * 10) / 10).toString();

/** Writes text at a place. */
export const text = (x: number, y: number, content: string, attributes: string = ''): string =>
  `<text x="${px(x)}" y="${px(y)}"${attributes}>${escapeXml(content)}</text>`;

/** Draws grid lines and their texts on both axes. */
export const axes = (
  frame: Frame,
  across: readonly Tick[],
  upward: readonly Tick[],
  title: { readonly across: string; readonly upward: string },
): string => {
  const { left, top } = frame;
  const right = frame.width - frame.right;
  const bottom = frame.height - frame.bottom;
  let svg = '';
  for (const { at, text: label, minor } of across) {
    const x = left + at * (right - left);
    svg += `<path class="grid" d="M${px(x)} ${top}V${bottom}"/>`;
    if (!minor) svg += text(x, bottom + 18, label, ' text-anchor="middle"');
  }
  for (const { at, text: label, minor } of upward) {
    const y = bottom - at * (bottom - top);
    svg += `<path class="grid" d="M${left} ${px(y)}H${right}"/>`;
    if (!minor) svg += text(left - 8, y + 4, label, ' text-anchor="end"');
  }
  svg += `<path class="axis" d="M${left} ${top}V${bottom}H${right}"/>`;
  svg += text(
    (left + right) / 2,
    frame.height - 8,
    title.across,
    ' text-anchor="middle" class="title"',
  );
  svg += text(left - 8, top - 12, title.upward, ' text-anchor="end" class="title"');
  return svg;
};

/** Wraps a picture. */
export const document = (frame: Frame, label: string, content: string): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${frame.width} ${frame.height}" width="${frame.width}" height="${frame.height}" role="img" aria-label="${escapeXml(label)}">` +
  `<style>${STYLE}</style><rect class="page" width="100%" height="100%"/>${content}</svg>\n`;

const STYLE =
  'svg{--ink:#1f2328;--soft:#59636e;--line:#d8dee4;--page:#fff;color:var(--ink)}' +
  '@media(prefers-color-scheme:dark){svg{--ink:#e6edf3;--soft:#9198a1;--line:#30363d;--page:#0d1117}}' +
  'text{font:12px system-ui,sans-serif;fill:var(--ink)}' +
  '.title{fill:var(--soft)}.head{font-size:15px;font-weight:600}.page{fill:var(--page)}' +
  '.grid{stroke:var(--line);fill:none}.axis{stroke:var(--soft);fill:none}' +
  '.run{fill:none;stroke-width:2;stroke-linejoin:round}.band{opacity:.18;stroke:none}' +
  '.limit{stroke:#cf222e;stroke-dasharray:6 4;fill:none}.limit-text{fill:#cf222e}';

/** Returns round numbers from 0 to at least `max`, about five of them. */
export const linearTicks = (max: number): number[] => {
  const rough = max / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size >= rough)!;
  return Array.from({ length: Math.ceil(max / step - 1e-9) + 1 }, (_, i) => i * step);
};

/** Returns the numbers 1, 2, 5 times powers of ten that lie in a range. */
export const logTicks = (low: number, high: number): number[] => {
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    for (const factor of [1, 2, 5]) {
      const tick = factor * 10 ** power;
      if (tick >= low * 0.999 && tick <= high * 1.001) ticks.push(tick);
    }
  }
  return ticks;
};
