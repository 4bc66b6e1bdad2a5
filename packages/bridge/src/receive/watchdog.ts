/**
 * Ends our own tmux clients when this thread is stuck: nobody drains them then, and a control client that isn't drained
 * keeps the user's server from ending or, once it is ending, from starting again.
 *
 * ```text
 * this thread ──"." every third of the time──▶ guardian (/bin/sh) ──restarts──▶ sleep ──expires──▶ kill -9 the clients
 *             ──"+ PID", "- PID"────────────▶            end of input: ends itself
 * ```
 *
 * One guardian for all clients of this process with the same limit; a shell, because a second isolate would cost more
 * memory than all the rest, in a process group of its own, because a process that was stopped from its terminal is stuck
 * too. It kills clients only, never a server.
 *
 * G1: a client is killed only if no beat came for the whole limit, and only if it is a child of this process still: a
 *     process id may have become another's while this thread was stuck.
 * G2: the guardian ends when the last client is given back, or when this process dies, and its sleep with it: that it
 *     is over may be said between the start of the sleep and the moment when its number is known. By KILL: a shell that
 *     was just forked still has its parent's trap, and would forget a TERM.
 *
 * Cost: a byte down a pipe every third of the limit; three small processes.
 */
import { type ChildProcess, spawn } from 'node:child_process';

const script = `
t=$1
owner=$2
s=
all=
stop() {
  [ -z "$s" ] || { kill "$s"; wait "$s"; } 2>/dev/null
  s=
}
while read -r word pid; do
  case $word in
    +) all="$all $pid" ;;
    -) rest=; for p in $all; do [ "$p" = "$pid" ] || rest="$rest $p"; done; all=$rest ;;
  esac
  stop
  [ -z "$all" ] && continue
  (
    over=
    p=
    trap 'over=1; [ -z "$p" ] || kill -9 "$p"' TERM
    sleep "$t" & p=$!
    [ -z "$over" ] || kill -9 "$p"
    wait "$p"
    trap - TERM
    [ -z "$over" ] || exit
    for p in $all; do
      if [ -r "/proc/$p/status" ]; then parent=$(sed -n 's/^PPid:[^0-9]*//p' "/proc/$p/status")
      else parent=$(ps -o ppid= -p "$p" | tr -d ' '); fi
      [ "$parent" = "$owner" ] && kill -9 "$p"
    done
  ) 2>/dev/null </dev/null &
  s=$!
done
stop
`;

/** A client that is watched over. */
export interface Watched {
  /** How long this thread is stuck, or was until now: 0 unless that is longer than the limit (ms). */
  readonly stuckMs: number;
  /** Watches it no longer: it has ended. */
  release(): void;
}

/** How long it is remembered that the thread was stuck: until the end of the client has been told. */
const memoryMs = 5000;

/** A shell that waits for beats, and those that it would kill. */
class Guardian {
  readonly #limitMs: number;
  readonly #shell: ChildProcess;
  readonly #timer: NodeJS.Timeout;
  #lastBeat = performance.now();
  #stuckMs = 0;
  #count = 0;

  constructor(limitMs: number) {
    this.#limitMs = limitMs;
    this.#shell = spawn(
      '/bin/sh',
      ['-c', script, 'sh', String(limitMs / 1000), String(process.pid)],
      {
        detached: true,
        stdio: ['pipe', 'ignore', 'ignore'],
      },
    );
    // Without a shell there is no watchdog; the session works.
    this.#shell.on('error', () => {});
    this.#shell.stdin?.on('error', () => {});
    this.#shell.unref();
    (this.#shell.stdin as unknown as { unref?(): void } | null)?.unref?.();
    this.#timer = setInterval(() => this.#beat(), limitMs / 3).unref();
  }

  get stuckMs(): number {
    const gapMs = performance.now() - this.#lastBeat;
    return gapMs > this.#limitMs ? gapMs : this.#stuckMs;
  }

  add(pid: number): void {
    this.#count++;
    this.#shell.stdin?.write(`+ ${pid}\n`);
  }

  /** Returns whether that was the last. */
  delete(pid: number): boolean {
    this.#shell.stdin?.write(`- ${pid}\n`);
    if (--this.#count > 0) return false;
    clearInterval(this.#timer);
    this.#shell.stdin?.end(); // G2
    return true;
  }

  #beat(): void {
    const gapMs = performance.now() - this.#lastBeat;
    this.#lastBeat += gapMs;
    if (gapMs > this.#limitMs) {
      this.#stuckMs = gapMs;
      setTimeout(() => {
        this.#stuckMs = 0;
      }, memoryMs).unref();
    }
    this.#shell.stdin?.write('.\n'); // G1
  }
}

/** By limit: the sessions of this process share it. */
const guardians = new Map<number, Guardian>();

/**
 * Watches over a client that this process has started, from any of its threads. Called in the session's thread.
 *
 * @param pid - its process id
 * @param limitMs - how long this thread may be stuck (ms)
 */
export function watch(pid: number, limitMs: number): Watched {
  const guardian = guardians.get(limitMs) ?? new Guardian(limitMs);
  guardians.set(limitMs, guardian);
  guardian.add(pid);
  let released = false;
  return {
    get stuckMs() {
      return guardian.stuckMs;
    },
    release: () => {
      if (released) return;
      released = true;
      if (guardian.delete(pid)) guardians.delete(limitMs);
    },
  };
}
