/** Layouts as control mode tells them, from those that tmux 3.8 tells everybody else. */

/** A cell of the layout that `#{window_layout}` gives from 3.8 on. */
interface Cell {
  readonly t: 'p' | 'h' | 'v';
  readonly w: number;
  readonly h: number;
  readonly x: number;
  readonly y: number;
  /** The pane, as `%0`. */
  readonly I?: string;
  readonly c?: readonly Cell[];
}

const textOf = ({ t, w, h, x, y, I, c }: Cell): string => {
  const place = `${w}x${h},${x},${y}`;
  if (t === 'p') return `${place},${I!.slice(1)}`;
  const inside = c!.map(textOf).join(',');
  return t === 'h' ? `${place}{${inside}}` : `${place}[${inside}]`;
};

/** Returns a layout with its checksum (tmux's layout-custom.c); one in that format is returned as it is. */
export function plainLayout(layout: string): string {
  if (!layout.startsWith('{')) return layout;
  const text = textOf((JSON.parse(layout) as { L: Cell }).L);
  let sum = 0;
  for (const byte of Buffer.from(text)) sum = ((sum >> 1) + ((sum & 1) << 15) + byte) & 0xffff;
  return `${sum.toString(16).padStart(4, '0')},${text}`;
}
