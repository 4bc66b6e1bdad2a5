/** The colours of heatmaps: dark for few, bright for many, even to the eye. */

/** Points of the scale, as red, green, blue; perceptually even, also in grey. */
const STOPS = [
  [38, 20, 72],
  [88, 28, 109],
  [142, 41, 99],
  [193, 58, 80],
  [232, 93, 48],
  [250, 149, 32],
  [249, 208, 74],
  [252, 251, 189],
] as const;

/** Returns the colour of a share, 0 to 1. */
export const heat = (share: number): readonly [red: number, green: number, blue: number] => {
  const at = Math.min(1, Math.max(0, share)) * (STOPS.length - 1);
  const below = STOPS[Math.floor(at)]!;
  const above = STOPS[Math.ceil(at)]!;
  const mix = (i: 0 | 1 | 2): number => Math.round(below[i] + (above[i] - below[i]) * (at % 1));
  return [mix(0), mix(1), mix(2)];
};

/** Returns a colour as CSS has it. */
export const css = (colour: readonly [number, number, number]): string =>
  `#${colour.map((part) => part.toString(16).padStart(2, '0')).join('')}`;
