/**
 * Streaming, byte-exact parser of tmux control mode (`tmux -C`, `tmux -CC`).
 *
 * @packageDocumentation
 */
export * from './js.ts';
