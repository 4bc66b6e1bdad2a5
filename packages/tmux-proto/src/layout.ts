/**
 * Window layouts: the strings of `%layout-change`, `#{window_layout}` and `select-layout`.
 *
 * @packageDocumentation
 */
export type { Cell, CellKind } from './layout/cells.ts';
export { LayoutError } from './layout/errors.ts';
export { type Hit, Layout, type LayoutTree, type Rectangle } from './layout/layout.ts';
export { layoutChecksum } from './layout/text.ts';
