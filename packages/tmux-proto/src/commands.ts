/**
 * Commands for tmux control mode: injection-proof lines by version, input and paste planners, and the
 * correlator that pairs replies with commands.
 *
 * @packageDocumentation
 */

export {
  Correlator,
  type CorrelatorOptions,
  type Reply,
  type RequestOptions,
} from './commands/correlator.ts';
export {
  ARGUMENTS_MAX,
  type ClientFlags,
  CommandEncoder,
  encodeCommand,
  HEX_BYTES_MAX,
  PASTE_BYTES_MAX,
  type PasteOptions,
  TEXT_BYTES_MAX,
} from './commands/encoder.ts';
export { CommandError, type CommandErrorCode } from './commands/errors.ts';
export { type KeyModifiers, keyName } from './commands/keys.ts';
export type { Argument } from './commands/quote.ts';
export { countStatements } from './commands/statements.ts';
export { type Feature, since, supports, versionOrder } from './commands/versions.ts';
