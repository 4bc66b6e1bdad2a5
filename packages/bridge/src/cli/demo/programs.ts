/**
 * What runs in the demo's four panes: plain shell, so that it runs wherever tmux does.
 *
 * Every program ends when its terminal goes away.
 */

/** A pane of the demo. */
export interface DemoProgram {
  readonly name: 'flood' | 'build' | 'screen' | 'echo';
  /** What it shows, for the live view. */
  readonly title: string;
  readonly command: string;
}

const flood: DemoProgram = {
  name: 'flood',
  title: 'a flood: seq, as fast as tmux takes it',
  command: 'exec seq 1 1000000000',
};

const build: DemoProgram = {
  name: 'build',
  title: 'a build log in colour',
  command: [
    'i=0; while :; do i=$((i+1));',
    "printf '\\033[32m[%5d]\\033[0m compiling src/module_%d.ts \\033[2m(%d ms)\\033[0m\\n' $i $i $((i*7%90));",
    'sleep 0.02; done',
  ].join(' '),
};

const screen: DemoProgram = {
  name: 'screen',
  title: 'a full-screen program that redraws ten times a second',
  command: [
    "printf '\\033[?1049h'; i=0; while :; do i=$((i+1)); printf '\\033[H'; r=0;",
    'while [ $r -lt 20 ]; do r=$((r+1));',
    "printf '\\033[%d;1H\\033[48;5;%dm row %2d frame %5d ─ 日本 \\033[0m' $r $((16+(i+r)%200)) $r $i;",
    'done; sleep 0.1; done',
  ].join(' '),
};

const echo: DemoProgram = {
  name: 'echo',
  title: 'a pane that echoes what is typed',
  command: 'stty raw -echo; exec cat',
};

/** Writes about 67 KB of log text a second: three of them, and a pane to type in, are the brief's typical load. */
export const typicalLog: string = [
  'i=0; while :; do i=$((i+1));',
  "printf '%6d GET /api/v1/items/%d 200 1.7 ms 日本 0123456789abcdef0123456789abcdef\\n'",
  '$i 1 $i 2 $i 3 $i 4 $i 5 $i 6 $i 7 $i 8 $i 9 $i 10; sleep 0.011; done',
].join(' ');

/** The four panes, in the order of the view. */
export const demoPrograms: readonly DemoProgram[] = [flood, build, screen, echo];
