/** Errors of the command side. */

/** Codes of {@link CommandError}. */
export type CommandErrorCode =
  | 'ERR_TMUX_ENCODE'
  | 'ERR_TMUX_UNSUPPORTED'
  | 'ERR_TMUX_COMMAND'
  | 'ERR_TMUX_TIMEOUT'
  | 'ERR_TMUX_ABORTED'
  | 'ERR_TMUX_LOST'
  | 'ERR_TMUX_QUEUE'
  | 'ERR_TMUX_CLOSED';

/** Reports a command that can't be sent, failed in tmux, or got no reply. */
export class CommandError extends Error {
  /** Stable code, the part of the error to branch on. */
  readonly code: CommandErrorCode;
  /** What tmux replied, one string a line; empty if nothing. */
  readonly lines: readonly string[];

  /**
   * Creates the error.
   * @param code - stable code
   * @param message - what happened, with the offending value
   * @param lines - what tmux replied
   */
  constructor(code: CommandErrorCode, message: string, lines: readonly string[] = []) {
    super(message);
    this.name = 'CommandError';
    this.code = code;
    this.lines = lines;
  }
}
