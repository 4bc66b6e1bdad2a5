/** The shipped recording, and what it holds by a decoder that shares nothing with the library's. */
import { readFileSync } from 'node:fs';
import { parseRecording } from '@millrace/bridge';

export const recordingFile: Buffer = readFileSync(
  new URL('../../recordings/demo.millrace.gz', import.meta.url),
);

/** Returns what each pane wrote, decoded line by line as text, a character a byte. */
export function panesOf(recording: Uint8Array): Map<number, string> {
  const received = parseRecording(recording).frames.filter((frame) => !frame.toTmux);
  const text = Buffer.concat(received.map((frame) => frame.bytes)).toString('latin1');
  const panes = new Map<number, string>();
  for (const line of text.split('\n')) {
    const match = /^%(?:output %(\d+)|extended-output %(\d+) \d+ :) ([\s\S]*)$/.exec(line);
    if (match === null) continue;
    const pane = Number(match[1] ?? match[2]);
    const decoded = match[3]!.replace(/\\([0-7]{3})/g, (_, octal: string) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    );
    panes.set(pane, (panes.get(pane) ?? '') + decoded);
  }
  return panes;
}
