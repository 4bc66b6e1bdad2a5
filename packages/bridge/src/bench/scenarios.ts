/**
 * The scenarios of the bridge's targets, as code that the benchmark's rows and the command `millrace bench` share. What a
 * viewer's link, a stall or a busy thread mean is said at each; how they are measured, in `measure.ts`.
 */
import { spawnSync } from 'node:child_process';
import { compareLossless } from './lossless.ts';
import { besideOrdinaryClient, contender } from './measure.ts';
import { memoryUnreadable } from './ordinary-client.ts';
import { timeBareReplies, timeReplies } from './replies.ts';
import type { Figure, Measure, Scenario } from './scenario.ts';
import { quietCommand } from './workload.ts';

/** What a slow viewer's link carries (bytes a second). */
const onLink = { linkBytesPerSecond: 2_000_000 };

const scriptMissing = (context: 'ack window' | 'ordinary client'): string | undefined =>
  spawnSync('script', ['--version']).error === undefined
    ? undefined
    : `no script(1) of util-linux on PATH, for the ${context}`;

/** ttyd takes `--writable` since 1.7.4, and no input without it since then. */
const ttydMissing = (): string | undefined => {
  const { error, stdout } = spawnSync('ttyd', ['--version'], { encoding: 'utf8' });
  if (error !== undefined) return 'ttyd is not on PATH';
  const [, major, minor, patch] = /(\d+)\.(\d+)\.(\d+)/.exec(stdout) ?? [];
  const order = Number(major) * 1e4 + Number(minor) * 100 + Number(patch);
  return order >= 10_704 ? undefined : `ttyd 1.7.4 or later is needed: ${stdout.trim()}`;
};

const link: Scenario = {
  name: 'link',
  title: 'a viewer behind a link of 2 MB/s, one pane floods',
  ours: 'millrace',
  rounds: 2,
  contenders: {
    millrace: contender(6, { kind: 'bridge', ...onLink }),
    naive: contender(6, { kind: 'naive', ...onLink }),
    'ack window': contender(4, { kind: 'ack-window', ...onLink }),
    polling: contender(4, { kind: 'poll', ...onLink }),
  },
  unavailable: (name) => (name === 'ack window' ? scriptMissing('ack window') : undefined),
  figures: [
    {
      name: 'viewer at 2 MB/s, 1 flood: echo p99',
      value: 'echoP99Ms',
      unit: 'ms',
      better: 'lower',
      bar: 100,
      peers: ['naive'],
    },
    {
      name: 'viewer at 2 MB/s, 1 flood: echo p99, absolute',
      value: 'echoP99Ms',
      unit: 'ms',
      better: 'lower',
      bar: 20,
      stretch: 8,
    },
    {
      name: 'viewer at 2 MB/s: bytes queued per viewer',
      value: 'queuedKb',
      unit: 'KB',
      better: 'lower',
      bar: 64,
      stretch: 20,
    },
    {
      name: 'viewer at 2 MB/s: growth of memory',
      value: 'rssGrowthMb',
      unit: 'MB',
      better: 'lower',
      bar: 32,
      stretch: 16,
    },
    {
      name: 'viewer at 2 MB/s: echo p50 against polling capture-pane',
      value: 'echoP50Ms',
      unit: 'ms',
      better: 'lower',
      bar: 8,
      stretch: 20,
      peers: ['polling'],
    },
    {
      name: "viewer at 2 MB/s: echo p99 against VS Code's ack window",
      value: 'echoP99Ms',
      unit: 'ms',
      better: 'lower',
      bar: 2.5,
      stretch: 5,
      peers: ['ack window'],
    },
  ],
};

const otherLinks = ['at 200 MB/s', 'at 2 MB/s', 'at 0.5 MB/s'];
const atRate = (mbPerSecond: number): Measure =>
  contender(6, { kind: 'bridge', linkBytesPerSecond: mbPerSecond * 1e6 });

/**
 * What a link carries decides how a viewer lives: on all of the flood, or on snapshots. `no link` accepts at once and
 * skips nothing: it gets whatever tmux sends. The time in which the window finds the link is measured too.
 */
const links: Scenario = {
  name: 'links',
  title: 'a viewer behind a link of 20 MB/s, which can carry the whole flood',
  ours: 'at 20 MB/s',
  rounds: 1,
  contenders: {
    'at 20 MB/s': atRate(20),
    'at 200 MB/s': atRate(200),
    'at 2 MB/s': atRate(2),
    'at 0.5 MB/s': atRate(0.5),
    'no link': contender(6, { kind: 'bridge' }),
  },
  figures: [
    {
      name: 'viewer at 20 MB/s, 1 flood: flood shown against all of it',
      value: 'floodMbPerSecond',
      unit: 'MB/s',
      better: 'higher',
      bar: 0.7,
      stretch: 0.9,
      peers: ['no link'],
      beside: otherLinks,
    },
    {
      name: 'viewer at 20 MB/s, 1 flood: snapshots',
      value: 'snapshotsPerSecond',
      unit: '/s',
      better: 'lower',
      bar: 4,
      stretch: 1,
      beside: otherLinks,
    },
    {
      name: 'viewer at 20 MB/s, 1 flood: echo p50',
      value: 'echoP50Ms',
      unit: 'ms',
      better: 'lower',
      bar: 10,
      stretch: 5,
      beside: [...otherLinks, 'no link'],
    },
    {
      name: 'viewer at 20 MB/s, 1 flood: echo p99',
      value: 'echoP99Ms',
      unit: 'ms',
      better: 'lower',
      bar: 20,
      stretch: 8,
      beside: [...otherLinks, 'no link'],
    },
  ],
};

/** Its echo against ttyd's. */
const ttydEcho = {
  value: 'echoP99Ms',
  unit: 'ms',
  better: 'lower',
  bar: 1 / 1.5,
  stretch: 1,
  peers: ['ttyd'],
} as const satisfies Partial<Figure>;

/**
 * Bytes are compared where no link caps them: one of 2 MB/s carries at most 1.7 times what ttyd sends, whoever uses it.
 * All of ttyd's bytes count as the flood's. It takes ten seconds: the P99 of 200 keys is the second worst of them, which
 * one pause of the system decides; of 500 it is the fifth.
 */
const ttyd: Scenario = {
  name: 'ttyd',
  title: 'a viewer at the other end of a WebSocket, one pane floods, against ttyd with tmux attach',
  ours: 'millrace, WebSocket',
  rounds: 2,
  contenders: {
    'millrace, WebSocket': contender(10, { kind: 'bridge-socket' }),
    ttyd: contender(10, { kind: 'ttyd' }),
    'naive, no WebSocket': contender(10, { kind: 'naive' }),
    'a bare reader': contender(10, { kind: 'bare-socket' }),
  },
  unavailable: ttydMissing,
  figures: [
    {
      name: 'viewer on a WebSocket, 1 flood: flood shown against ttyd + tmux attach',
      value: 'floodMbPerSecond',
      unit: 'MB/s',
      better: 'higher',
      bar: 5,
      stretch: 8,
      peers: ['ttyd'],
    },
    {
      ...ttydEcho,
      name: 'viewer on a WebSocket, 1 flood: echo p99 against ttyd + tmux attach',
      beside: ['naive, no WebSocket', 'a bare reader'],
      note: "'a bare reader' looks for nothing but the key's bytes in what `tmux -C` says, and sends those over a WebSocket: where it takes as long as ours, tmux's control output is the cost, which carries both panes through one client while ttyd gets a redraw",
    },
  ],
};

/** The same behind a link. */
const ttydLink: Scenario = {
  name: 'ttyd-link',
  title: 'the same viewer behind a link of 2 MB/s',
  ours: 'millrace, WebSocket',
  rounds: 2,
  contenders: {
    'millrace, WebSocket': contender(4, { kind: 'bridge-socket', ...onLink }),
    ttyd: contender(4, { kind: 'ttyd', ...onLink }),
  },
  unavailable: ttydMissing,
  figures: [
    {
      ...ttydEcho,
      name: 'viewer on a WebSocket at 2 MB/s, 1 flood: echo p99 against ttyd + tmux attach',
    },
  ],
};

const stalled: Scenario = {
  name: 'stalled',
  title: 'two viewers of the same panes, one accepts nothing for 10 s',
  ours: 'one stalled',
  rounds: 1,
  contenders: {
    'one stalled': contender(10, { kind: 'bridge', ...onLink, stalledViewer: true }),
    alone: contender(10, { kind: 'bridge', ...onLink }),
  },
  figures: [
    {
      name: 'two viewers, one stalled 10 s: echo p99 of the other against alone',
      value: 'echoP99Ms',
      unit: 'ms',
      better: 'lower',
      bar: 1 / 1.3,
      stretch: 1 / 1.1,
      peers: ['alone'],
    },
  ],
};

/**
 * Keys come from a thread that isn't busy, at times that favour no phase of the loop (`outside-typist.ts`). Whoever reads
 * tmux, a thread that is free for 20 of 50 ms can't see a key before it is free: a key comes while it is busy in 3 of 5
 * cases, and waits 0 to 30 ms then. So half of all keys wait 30 x (0.5 - 0.4) / 0.6 = 5 ms or longer, and one of a hundred
 * 29.5 ms, with a tmux that takes no time. `the thread itself` measures that bound: it takes keys from shared memory when
 * it looks. `a bare reader` is the same with tmux and its flood: a second thread reads the pipe, finds the key's bytes and
 * posts them to the busy one.
 */
const busyNote =
  "nobody is faster than 'the thread itself', which sees a key when it looks, without tmux (by arithmetic 5 ms at p50, 29.5 ms at p99): what naive takes, divided by that, is the most that anybody reaches in that run. 'a bare reader' only reads tmux, looks for the key's bytes and posts them";

const busy: Scenario = {
  name: 'busy',
  title: 'the main thread is busy 30 of every 50 ms, one pane floods',
  ours: 'millrace, worker',
  rounds: 2,
  contenders: {
    'millrace, worker': contender(4, { kind: 'bridge-worker', busy: true }),
    naive: contender(4, { kind: 'naive', busy: true }),
    'millrace, inline': contender(4, { kind: 'bridge', busy: true }),
    'the thread itself': contender(4, { kind: 'bare', busy: true }),
    'a bare reader': contender(4, { kind: 'bare-reader', busy: true }),
  },
  figures: [
    {
      name: 'main thread busy 30 of 50 ms, worker mode: echo p50',
      value: 'echoP50Ms',
      unit: 'ms',
      better: 'lower',
      bar: 4,
      stretch: 8,
      peers: ['naive'],
      beside: ['millrace, inline', 'the thread itself', 'a bare reader'],
      note: busyNote,
    },
    {
      name: 'main thread busy 30 of 50 ms, worker mode: echo p99',
      value: 'echoP99Ms',
      unit: 'ms',
      better: 'lower',
      bar: 1.5,
      stretch: 2.5,
      peers: ['naive'],
      beside: ['millrace, inline', 'the thread itself', 'a bare reader'],
      note: busyNote,
    },
  ],
};

/**
 * What an idle viewer costs for as long as it is there: V8 compiles a program's code in its first ten seconds of typing, and
 * there is more of it here than in a loop of one's own. `cold` is that beginning, of both.
 */
const warmKeys = 1000;

const local: Scenario = {
  name: 'local',
  title: 'a viewer that accepts at once on an idle thread: nothing to be won, nothing to be lost',
  ours: 'millrace',
  rounds: 2,
  contenders: {
    millrace: contender(6, { kind: 'bridge', warmKeys }, quietCommand),
    naive: contender(6, { kind: 'naive', warmKeys }, quietCommand),
    'millrace, cold': contender(4, { kind: 'bridge' }, quietCommand),
    'naive, cold': contender(4, { kind: 'naive' }, quietCommand),
  },
  figures: [
    {
      name: 'fast local sink, idle: echo p99',
      value: 'echoP99Ms',
      unit: 'ms',
      better: 'lower',
      bar: 1 / 1.25,
      stretch: 1.25,
      peers: ['naive'],
      beside: ['millrace, cold', 'naive, cold'],
    },
    {
      name: 'fast local sink, idle: CPU',
      value: 'cpuPercent',
      unit: '% of a core',
      better: 'lower',
      bar: 1,
      stretch: 1.25,
      peers: ['naive'],
      beside: ['millrace, cold', 'naive, cold'],
    },
  ],
};

const mixed: Scenario = {
  name: 'mixed',
  title: 'an ordinary client is attached too, the viewer is behind a link of 2 MB/s',
  ours: 'millrace',
  rounds: 1,
  contenders: {
    millrace: besideOrdinaryClient(15, { kind: 'bridge', ...onLink }),
    backpressure: besideOrdinaryClient(15, { kind: 'backpressure', ...onLink }),
  },
  unavailable: () => memoryUnreadable() ?? scriptMissing('ordinary client'),
  figures: [
    {
      name: "ordinary client attached, slow viewer: tmux's memory",
      value: 'serverRssMb',
      unit: 'MB',
      better: 'lower',
      bar: 64,
      stretch: 48,
    },
  ],
};

const lossless: Scenario = {
  name: 'lossless',
  title: "a pane's bytes at a lossless viewer behind a link, against tmux's own pipe-pane",
  ours: 'millrace',
  rounds: 1,
  contenders: { millrace: compareLossless },
  figures: [
    {
      name: "pane bytes at a lossless sink that differ from pipe-pane's",
      value: 'bytesWrong',
      unit: 'bytes',
      better: 'lower',
      bar: 0,
    },
  ],
};

const commandsNote =
  "nobody's reply comes before tmux says it: where 'tmux alone', which reads for its replies and does nothing else, is above the bar, the bar can't hold in that run";

/**
 * A reply is as late as what tmux has queued before it is long. Mostly that is what its buffer and the socket hold. If
 * tmux reads on unseen (`control/hold.ts`) it is what the program writes between two looks of the session: here at most
 * 800 ms of it, which are read in a third of that time.
 *
 * The bars are a person's (Miller, 1968; Nielsen, Usability Engineering, 1993): what is answered in 0.1 s is felt as
 * immediate, and a train of thought is kept for 1 s, of which the caller's own work may have the other half. `tmux alone`
 * is a client with nothing of ours, which reads for its replies only: what tmux itself makes a caller wait.
 */
const commands: Scenario = {
  name: 'commands',
  title: 'commands are sent while a lossless sink accepts nothing and its pane floods',
  ours: 'a sink stalls',
  rounds: 1,
  contenders: {
    'a sink stalls': timeReplies(false),
    'no sink stalls': timeReplies(true),
    'tmux alone': timeBareReplies,
  },
  figures: [
    {
      name: 'commands while a lossless sink stalls, 1 flood: reply p50',
      value: 'replyP50Ms',
      unit: 'ms',
      better: 'lower',
      bar: 80,
      stretch: 40,
      beside: ['no sink stalls', 'tmux alone'],
      note: commandsNote,
    },
    {
      name: 'commands while a lossless sink stalls, 1 flood: slowest reply',
      value: 'replyMaxMs',
      unit: 'ms',
      better: 'lower',
      bar: 500,
      stretch: 250,
      beside: ['no sink stalls', 'tmux alone'],
      note: commandsNote,
    },
  ],
};

/** All of them, the most telling first. */
export const scenarios: readonly Scenario[] = [
  link,
  links,
  ttyd,
  ttydLink,
  stalled,
  busy,
  local,
  mixed,
  lossless,
  commands,
];
