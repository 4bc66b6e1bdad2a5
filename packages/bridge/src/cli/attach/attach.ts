/**
 * `millrace attach`: mirrors a session's current window on this terminal, keys go to its focused pane.
 *
 * Each pane has a pipe of policy `latest` into a headless terminal; a frame is drawn when one of them has changed and
 * this terminal has taken the last frame, at most every `frameMs`. So a slow terminal sees fewer frames, never old ones.
 */
import { Histogram } from '@millrace/histogram';
import { connect } from '../../connect.ts';
import { type StationStats, statsOf } from '../../measure/stations.ts';
import type { Session } from '../../session.ts';
import type { Output } from '../demo/view.ts';
import { formatCount, formatDuration, formatTable } from '../format.ts';
import type { Target } from '../target.ts';
import type { Frame } from './frame.ts';
import { Mirror } from './mirror.ts';
import { checkTerminal, UserTerminal } from './terminal.ts';

/** What to mirror. */
export interface AttachOptions {
  readonly target: Target;
  readonly worker: boolean;
  /** Keys go nowhere, and the size of this terminal is not told to tmux. */
  readonly readOnly: boolean;
  /** Prints the statistics as JSON. */
  readonly json: boolean;
  readonly signal: AbortSignal;
  readonly output: Output;
}

/** What a mirrored session cost. */
interface AttachSummary {
  readonly message: string;
  readonly seconds: number;
  readonly bytes: number;
  readonly records: number;
  readonly frames: number;
  readonly skips: number;
  readonly resyncs: number;
  readonly bytesSkipped: number;
  readonly gaps: number;
  /** From read to a pane's terminal (nanoseconds). */
  readonly readToSink: StationStats;
  /** From a key to the next frame in which its pane has changed (nanoseconds). */
  readonly keyToFrame: StationStats;
}

/** Ctrl-\ alone: what no program is likely to need. */
const detachByte = 0x1c;
const frameMs = 16;
const resizeMs = 50;
const statusRows = 1;

/** A session on a terminal. */
class Attachment {
  readonly #options: AttachOptions;
  readonly #session: Session;
  readonly #terminal: UserTerminal;
  readonly #mirror: Mirror;
  readonly #latency = new Histogram({ highest: 3_600_000_000_000, digits: 2 });
  readonly #startedAt = performance.now();
  readonly #changedPanes = new Set<number>();
  #drawn: Frame | undefined;
  #state = '';
  #frames = 0;
  #lastFrameAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #resizeTimer: NodeJS.Timeout | undefined;
  #blocked = false;
  #ending = false;
  #keyAt: number | undefined;
  #keyPane: number | undefined;

  constructor(session: Session, options: AttachOptions) {
    this.#session = session;
    this.#options = options;
    this.#mirror = new Mirror(session, (pane) => {
      this.#changedPanes.add(pane);
      this.#schedule();
    });
    this.#terminal = new UserTerminal(process.stdin, process.stdout, {
      typed: (bytes) => this.#typed(bytes),
      resized: () => this.#resized(),
      drained: () => {
        this.#blocked = false;
        this.#schedule();
      },
    });
  }

  /** Mirrors until the session ends, or until the user detaches. */
  async run(): Promise<void> {
    const session = this.#session;
    this.#terminal.open();
    try {
      this.#tellSize();
      const follow = (): void => {
        this.#mirror.follow();
        this.#schedule();
      };
      session.on('change', follow).on('focus', follow).on('attached', follow);
      follow();
      await session.closed;
    } finally {
      this.#ending = true;
      clearTimeout(this.#timer);
      clearTimeout(this.#resizeTimer);
      await this.#mirror.close();
      await this.#terminal.close();
    }
  }

  #typed(bytes: Uint8Array): void {
    if (bytes.length === 1 && bytes[0] === detachByte) {
      this.#session.close();
      return;
    }
    const pane = this.#session.focusedPane;
    if (this.#options.readOnly || pane === undefined) return;
    this.#keyAt ??= this.#session.clock.now();
    this.#keyPane = pane.id;
    // A pane that has just gone takes no keys; nothing else is to be said of it.
    pane.type(bytes).catch(() => {});
  }

  #resized(): void {
    clearTimeout(this.#resizeTimer);
    this.#resizeTimer = setTimeout(() => this.#tellSize(), resizeMs);
    this.#schedule();
  }

  #tellSize(): void {
    const { columns, rows } = this.#terminal;
    if (this.#options.readOnly || rows <= statusRows) return;
    this.#session.resize(columns, rows - statusRows).catch(() => {});
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#blocked || this.#ending) return;
    const dueMs = Math.max(0, this.#lastFrameAt + frameMs - performance.now());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#draw();
    }, dueMs);
  }

  #draw(): void {
    const { columns, rows } = this.#terminal;
    this.#lastFrameAt = performance.now();
    const notice = this.#options.readOnly ? 'read only, ctrl-\\ detaches' : 'ctrl-\\ detaches';
    const { frame, state } = this.#mirror.draw(columns, rows, notice);
    const difference = frame.difference(this.#drawn);
    this.#drawn = frame;
    this.#measureKey();
    if (difference === '' && state === this.#state) return;
    this.#state = state;
    this.#frames++;
    // Synchronised, where the terminal knows it: nobody sees half a frame.
    this.#blocked = !this.#terminal.write(`\x1b[?2026h\x1b[?25l${difference}${state}\x1b[?2026l`);
  }

  /** A key counts as shown with the first frame in which its pane has changed since. */
  #measureKey(): void {
    if (this.#keyAt !== undefined && this.#changedPanes.has(this.#keyPane!)) {
      this.#latency.record(this.#session.clock.now() - this.#keyAt);
      this.#keyAt = undefined;
    }
    this.#changedPanes.clear();
  }

  /** Figures of the whole time. */
  summary(message: string): AttachSummary {
    const { bytes, records, gaps, stations } = this.#session.stats();
    return {
      message,
      seconds: (performance.now() - this.#startedAt) / 1000,
      bytes,
      records,
      frames: this.#frames,
      ...this.#mirror.totals,
      gaps,
      readToSink: stations.total,
      keyToFrame: statsOf(this.#latency),
    };
  }
}

const latencyRow = (name: string, { p50, p99, max, count }: StationStats): string[] => [
  name,
  ...(count === 0 ? ['-', '-', '-'] : [p50, p99, max].map(formatDuration)),
  formatCount(count),
];

function lines(summary: AttachSummary): string[] {
  const { seconds, bytes, records, frames, skips, resyncs, bytesSkipped, gaps } = summary;
  return [
    `${summary.message} after ${seconds.toFixed(1)} s`,
    `${formatCount(bytes)} bytes in ${formatCount(records)} records, ${formatCount(frames)} frames; ` +
      `${skips} skips of ${formatCount(bytesSkipped)} bytes, ${resyncs} screens restored, ${gaps} gaps`,
    ...formatTable([
      ['', 'p50', 'p99', 'max', 'count'],
      latencyRow('read to screen', summary.readToSink),
      latencyRow('key to frame', summary.keyToFrame),
    ]),
  ];
}

/** Mirrors until the session ends, the user detaches or a signal comes; then prints what it cost. */
export async function attach(options: AttachOptions): Promise<void> {
  const { target, worker, signal, output, json } = options;
  checkTerminal();
  const session = await connect({
    worker,
    signal,
    ...target,
  });
  let attachment: Attachment;
  try {
    attachment = new Attachment(session, options);
    await attachment.run();
  } finally {
    await session.close();
  }
  const end = await session.closed;
  const summary = attachment.summary(end.reason === 'closed' ? 'detached' : end.message);
  output.write(json ? `${JSON.stringify(summary)}\n` : `${lines(summary).join('\n')}\n`);
  if (end.error !== undefined) throw end.error;
}
