/** tmux's version: asked of the program, compared with what the bridge supports. */
import { execFile } from 'node:child_process';
import { versionOrder } from '@millrace/tmux-proto/commands';
import { BridgeError } from '../errors.ts';

/** The oldest version that the bridge connects to: the first that takes a size as `WxH`. */
const tmuxVersionMin = '2.9';

/** What stands for a version that tmux hasn't told yet; it has no number, so it counts as the newest. */
export const unknownVersion = 'unknown';

/**
 * Throws `ERR_TMUX_VERSION` if a version is too old. One without a number (`master`) counts as the newest.
 *
 * @param version - as tmux prints it: `3.3a`, `next-3.8`
 */
export function checkTmuxVersion(version: string): string {
  if (versionOrder(version) < versionOrder(tmuxVersionMin)) {
    throw new BridgeError(
      'ERR_TMUX_VERSION',
      `tmux ${tmuxVersionMin} or later is needed: version=${JSON.stringify(version)}`,
    );
  }
  return version;
}

/** What the program prints. Not by `node:util`: importing that loads a megabyte of Node that nothing else here needs. */
function printed(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { timeout: 10_000 }, (error, stdout) => {
      if (error === null) resolve(stdout);
      else reject(error);
    });
  });
}

/**
 * Asks a tmux program for its version.
 *
 * @param program - name looked up on PATH, or a path
 * @throws {BridgeError} `ERR_TMUX_NOT_FOUND` if it can't be run, `ERR_TMUX_VERSION` if it is too old
 */
export async function readTmuxVersion(program: string): Promise<string> {
  let output: string;
  try {
    output = await printed(program, ['-V']);
  } catch (error) {
    throw new BridgeError(
      'ERR_TMUX_NOT_FOUND',
      `tmux can't be run: program=${JSON.stringify(program)} (${(error as Error).message})`,
      error,
    );
  }
  // It says the name that it was started by: `tmux-3.1c 3.1c`, where somebody has several.
  const match = /^\S*tmux\S* (\S+)/.exec(output);
  if (match === null) {
    throw new BridgeError(
      'ERR_TMUX_NOT_FOUND',
      `the program isn't tmux: program=${JSON.stringify(program)}, it says ${JSON.stringify(output.slice(0, 80))}`,
    );
  }
  return checkTmuxVersion(match[1]!);
}
