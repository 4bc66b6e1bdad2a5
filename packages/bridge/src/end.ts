/** How a session ended, and whether that is an error: one place that judges what tmux and the system said. */
import { supports } from '@millrace/tmux-proto/commands';
import { BridgeError } from './errors.ts';
import type { TransportExit } from './receive/transport.ts';

/** How a session ended. */
export interface SessionEnd {
  /**
   * `closed`: this side asked for it. `exited`: tmux ended the session in the ordinary way (its last program ended, it
   * was killed or detached), or the recording is over. `failed`: anything else; `error` says what.
   */
  readonly reason: 'closed' | 'exited' | 'failed';
  /** What happened, for people. */
  readonly message: string;
  /** Set if `reason` is `failed`. */
  readonly error?: BridgeError;
}

/** What is known when a connection has ended. */
export interface EndFacts {
  readonly exit: TransportExit;
  readonly exitReason: string | undefined;
  readonly firstStray: string | undefined;
  /** Whether this side asked for the end. */
  readonly asked: boolean;
  /** Whether the connection was never established. */
  readonly opening: boolean;
  readonly live: boolean;
  readonly version: string;
}

/** Reasons in `%exit` that mean trouble; others (detached, exited, none) are ordinary. */
const troubled = /lost server|server exited unexpectedly|too far behind|lost tty|terminated/;
const failed = (error: BridgeError): SessionEnd => ({
  reason: 'failed',
  message: error.message,
  error,
});

function failureToStart(facts: EndFacts): BridgeError {
  const { exit, firstStray } = facts;
  const code = (exit.cause as NodeJS.ErrnoException | undefined)?.code;
  if (code === 'ENOENT' || code === 'EACCES') {
    return new BridgeError(
      'ERR_TMUX_NOT_FOUND',
      `tmux can't be run: ${(exit.cause as Error).message}`,
      exit.cause,
    );
  }
  const said = [exit.message, firstStray].find((text) => text) ?? 'it said nothing';
  return new BridgeError('ERR_TMUX_CONNECT', `tmux refused to attach: ${said}`, exit.cause);
}

/** Judges the end of a connection. */
export function endOf(facts: EndFacts): SessionEnd {
  const { exit, exitReason } = facts;
  if (facts.asked) return { reason: 'closed', message: 'closed' };
  if (exit.stuckMs) {
    return failed(
      new BridgeError(
        'ERR_WATCHDOG',
        `the watchdog ended the tmux client: the session's thread was stuck for ${Math.round(exit.stuckMs)} ms`,
      ),
    );
  }
  if (facts.live && facts.opening) return failed(failureToStart(facts));
  if (exit.cause !== undefined) {
    const error = exit.cause;
    if (error instanceof BridgeError) return failed(error);
    return failed(
      new BridgeError(
        'ERR_TMUX_EXITED',
        `the connection broke: ${(error as Error).message}`,
        error,
      ),
    );
  }
  if (!facts.live) return { reason: 'exited', message: 'the recording is over' };
  // Before 3.2 a client over pipes is given no `%exit` at all.
  const unannounced = exitReason === undefined && supports(facts.version, 'flow-control');
  // After an ordinary `%exit` the status says only whether any command of this client ever failed (3.3a: 1 if so).
  const badStatus = exitReason === undefined && (exit.status ?? 0) > 0;
  if (unannounced || troubled.test(exitReason ?? '') || exit.signal || badStatus) {
    const details = [
      exitReason && `reason=${JSON.stringify(exitReason)}`,
      exit.signal && `signal=${exit.signal}`,
      exit.status !== null && exit.status !== undefined && `status=${exit.status}`,
      exit.message && `message=${JSON.stringify(exit.message)}`,
    ].filter(Boolean);
    return failed(
      new BridgeError(
        'ERR_TMUX_EXITED',
        `tmux ended unexpectedly: ${details.join(' ') || 'no word'}`,
      ),
    );
  }
  return {
    reason: 'exited',
    message: exitReason ? `tmux: ${exitReason}` : 'tmux ended the session',
  };
}
