/**
 * The whole program as one machine: a state in registers, the steps that are possible in it, and what each does.
 *
 *   row of a state:
 *   +----------------------------+-----+--------+-----------+---------+---------+---------------------+
 *   | node << 8 | status         | ... | memory | knowledge | monitor | waiters | racy, doom,         |
 *   | thread 0                   | T-1 | id     | id        | id      | id      | last and preemptions|
 *   +----------------------------+-----+--------+-----------+---------+---------+---------------------+
 *
 * M1: every component is interned, so equal rows are equal states and different rows different ones.
 * M2: plain accesses are no scheduling points: they are done along with the step before them. That loses
 *     nothing while no race exists, and races are always looked for; the two cannot be separated.
 * M3: a step is one atomic access, wait, notify, wake-up, timeout, timer or death, and all plain accesses
 *     that follow it.
 *     The same holds for accesses to words that no other thread accesses (sharing.ts).
 * M4: a sleeping spinner (`pause`) wakes when another thread has changed memory since its previous pause.
 * M5: in declared racy memory every access is a step, and a read has a branch per value (racy.ts). A failure on
 *     a path that still depends on a promise dooms the path; it is reported once all promises are kept.
 * M6: a call begins with its first step, not before: a call that is over without one, because all its accesses
 *     are invisible to others, gets a step of its own at its first access (`mustStep`, learned while searching).
 */
import {
  type Access,
  applied,
  isAtomic,
  isPlain,
  Kind,
  type Raw,
  waitRaw,
  writes,
} from './access.ts';
import { describeCall, type Edge, type ThreadNode } from './automaton.ts';
import { UnmodelledError } from './errors.ts';
import { type EffectSummary, raceFound } from './knowledge.ts';
import {
  Branch,
  type Failure,
  type MachineParts,
  type Recorded,
  Status,
  shapeName,
} from './machine-parts.ts';
import { Native } from './native.ts';
import { impossible } from './racy.ts';
import { loopEvent } from './replay.ts';
import { describeValue } from './values.ts';
import type { Waiter } from './waiters.ts';

export class Machine {
  readonly #parts: MachineParts;
  readonly #threads: number;
  readonly nodes: ThreadNode[];
  readonly status: Int32Array;
  memory = 0;
  knowledge = 0;
  monitor = 0;
  waiters = 0;
  racy = 0;
  /** Failure that counts once all promises are kept, plus 1; 0 for none (M5). */
  doom = 0;
  /** Set by a step onto a path that no execution takes. */
  isImpossible = false;
  readonly #failures: Failure[] = [];
  /** Set by a step that shows the program wrong. */
  failure: Failure | null = null;
  /** Set when a spin loop turned out to count its turns. */
  boundedSpin = false;
  /** Set when a call might have timed out once more than is searched. */
  timeoutsCut = false;
  recorder: Recorded[] | null = null;
  /** A call without a step was found. */
  #hasLearned = false;
  /** Number of this search: places found to need tracking start a new one. */
  epoch = 0;

  constructor(parts: MachineParts) {
    this.#parts = parts;
    this.#threads = parts.automata.length;
    this.nodes = new Array<ThreadNode>(this.#threads);
    this.status = new Native.Int32Array(this.#threads);
  }

  /** Cells of a row, without the one for preemption bounds. */
  get width(): number {
    return this.#threads + (this.#parts.racy === null ? 4 : 6);
  }

  load(cells: Int32Array, from: number): void {
    const threads = this.#threads;
    for (let thread = 0; thread < threads; thread++) {
      const cell = cells[from + thread]!;
      this.nodes[thread] = this.#parts.automata[thread]!.nodes[cell >>> 8]!;
      this.status[thread] = cell & 0xff;
    }
    this.memory = cells[from + threads]!;
    this.knowledge = cells[from + threads + 1]!;
    this.monitor = cells[from + threads + 2]!;
    this.waiters = cells[from + threads + 3]!;
    this.failure = null;
    this.isImpossible = false;
    if (this.#parts.racy === null) return;
    this.racy = cells[from + threads + 4]!;
    this.doom = cells[from + threads + 5]!;
  }

  save(row: Int32Array): void {
    const threads = this.#threads;
    for (let thread = 0; thread < threads; thread++) {
      row[thread] = (this.nodes[thread]!.id << 8) | this.status[thread]!;
    }
    row[threads] = this.memory;
    row[threads + 1] = this.knowledge;
    row[threads + 2] = this.monitor;
    row[threads + 3] = this.waiters;
    if (this.#parts.racy === null) return;
    row[threads + 4] = this.racy;
    row[threads + 5] = this.doom;
  }

  /** Begins a search anew, with what was learned. */
  restart(): void {
    this.#hasLearned = false;
    this.epoch++;
  }

  /** Enters the state after setup, with every thread before its first atomic step. */
  begin(): void {
    const { knowledge, memory, monitor, waiters, automata } = this.#parts;
    this.status.fill(0);
    this.memory = memory.start;
    this.knowledge = knowledge.start;
    this.monitor = monitor?.start ?? 0;
    this.waiters = waiters.start;
    this.racy = this.#parts.racy?.start ?? 0;
    this.doom = 0;
    this.failure = null;
    this.isImpossible = false;
    for (let thread = 0; thread < this.#threads; thread++) {
      const edge = automata[thread]!.root ?? this.#parts.grow(thread, null, 0);
      this.#settle(thread, edge);
      if (this.failure !== null || this.grown) return;
    }
  }

  /** Fills `found` with the branches that a thread has in this state. @returns how many */
  branches(thread: number, found: number[]): number {
    let count = 0;
    const doing = this.status[thread]! & Status.doing;
    if (doing === Status.ended) return 0;
    const node = this.nodes[thread]!;
    const { kind, timeoutMs } = node.access!;
    if (doing === Status.waiting) {
      if (timeoutMs !== Number.POSITIVE_INFINITY && this.#mayTimeOut(node)) {
        found[count++] = Branch.timeout;
      }
    } else if (doing === Status.ready) {
      if (kind === Kind.idle) count = this.#idleBranches(thread, node, found);
      else if (node.isRacy && kind !== Kind.write) {
        const choices = this.#racyChoices(thread, node).length;
        while (count < choices) found[count] = Branch.choice + count++;
      } else found[count++] = Branch.next;
    }
    if (this.#parts.crashing[thread]) found[count++] = Branch.crash;
    return count;
  }

  #mayTimeOut(node: ThreadNode): boolean {
    if (node.timeouts < this.#parts.timeouts) return true;
    this.timeoutsCut = true;
    return false;
  }

  /** Whether the thread only sleeps because the search cuts its timeouts. */
  polls(thread: number): boolean {
    const node = this.nodes[thread]!;
    const { kind, timeoutMs, b } = node.access!;
    if (node.timeouts < this.#parts.timeouts) return false;
    if (kind === Kind.wait) return timeoutMs !== Number.POSITIVE_INFINITY;
    const own = this.#parts.waiters.list(this.waiters).filter((waiter) => waiter.thread === thread);
    return kind === Kind.idle && ((b as number) >= 0 || own.some((waiter) => waiter.finite));
  }

  #idleBranches(thread: number, node: ThreadNode, found: number[]): number {
    let count = 0;
    for (const waiter of this.#parts.waiters.list(this.waiters)) {
      if (waiter.thread !== thread || waiter.wait < 0) continue;
      if (waiter.notified) found[count++] = Branch.choice + loopEvent.wake(waiter.wait);
      else if (waiter.finite && this.#mayTimeOut(node))
        found[count++] = Branch.choice + loopEvent.timeout(waiter.wait);
    }
    const timer = node.access!.b as number;
    if (timer >= 0 && this.#mayTimeOut(node))
      found[count++] = Branch.choice + loopEvent.timer(timer);
    return count;
  }

  #racyChoices(thread: number, node: ThreadNode): Raw[] {
    const { at, bytes } = node.access!;
    const current = this.#parts.memory.read(this.memory, at, bytes);
    return this.#parts.racy!.choices(this.racy, thread, at, bytes, current);
  }

  /** Takes one step. Check `failure` afterwards, and the knowledge's `grown` before using the state. */
  step(thread: number, branch: number): void {
    this.#step(thread, branch);
    if (this.doom > 0 && this.#isCertain && !this.isImpossible && !this.grown) {
      this.failure ??= this.#failures[this.doom - 1]!;
    }
  }

  /** Whether the path depends on no promise. */
  get #isCertain(): boolean {
    const { racy } = this.#parts;
    return racy === null || !racy.hasPromises(this.racy);
  }

  /** Counts a situation, unless it is on a path that may not exist. */
  #cover(name: string): void {
    if (this.#isCertain) this.#parts.cover(name);
  }

  /** Ends the search, or dooms a path that may not exist (M5). */
  #fail(failure: Failure): void {
    if (this.isImpossible) return;
    if (this.#isCertain) {
      this.failure ??= failure;
      return;
    }
    if (this.doom > 0) return;
    const known = this.#failures.findIndex(({ message }) => message === failure.message);
    this.doom = known >= 0 ? known + 1 : this.#failures.push(failure);
  }

  #step(thread: number, branch: number): void {
    const node = this.nodes[thread]!;
    if (branch === Branch.crash) {
      this.#crash(thread);
      return;
    }
    if (branch === Branch.force) {
      this.status[thread] = (this.status[thread]! & ~Status.doing) | Status.forced;
    }
    if ((node.opening || this.status[thread]! & Status.calling) && branch !== Branch.timeout) {
      this.#call(thread, node);
    }
    const { kind } = node.access!;
    if (node.isRacy) {
      this.#racyAccess(thread, node, branch);
      return;
    }
    if (isPlain(kind) || node.isPrivate) {
      this.#continue(thread, node, branch, this.#invisible(thread, node)); // M6
      return;
    }
    if (isAtomic(kind)) {
      this.#continue(thread, node, branch, this.#atomic(thread, node));
      return;
    }
    switch (kind) {
      case Kind.pause:
        this.#pause(thread);
        this.#continue(thread, node, branch, 0);
        return;
      case Kind.wait:
        this.#wait(thread, node, branch);
        return;
      case Kind.waitAsync:
        this.#waitAsync(thread, node);
        return;
      case Kind.notify:
        this.#notify(thread, node);
        return;
      case Kind.idle:
        this.#event(thread, node, branch);
        return;
      default:
        this.#continue(thread, node, branch, 0);
        return;
    }
  }

  #continue(thread: number, node: ThreadNode, branch: number, value: Raw): void {
    if (this.isStopped) {
      this.recorder?.push({ thread, node, branch, value, edge: null });
      return;
    }
    const edge = node.edges.get(value) ?? this.#parts.grow(thread, node, value);
    this.recorder?.push({ thread, node, branch, value, edge });
    this.#settle(thread, edge);
  }

  #racyAccess(thread: number, node: ThreadNode, branch: number): void {
    const { at, bytes, a, kind } = node.access!;
    const { racy, memory } = this.#parts;
    const current = memory.read(this.memory, at, bytes);
    let value: Raw = 0;
    let next: number;
    if (kind === Kind.write) {
      next = racy!.write(this.racy, thread, at, bytes, current, a);
      const before = this.memory;
      this.memory = memory.write(before, at, bytes, a);
      this.#changed(thread, before);
    } else {
      value = this.#racyChoices(thread, node)[branch - Branch.choice]!;
      next = racy!.read(this.racy, thread, at, current, value);
    }
    if (next === impossible) this.isImpossible = true;
    else this.racy = next;
    this.#continue(thread, node, branch, value);
  }

  #call(thread: number, node: ThreadNode): void {
    const { monitor } = this.#parts;
    this.status[thread]! &= ~Status.calling;
    if (monitor === null || this.monitor < 0) return;
    if (node.callEvent < 0) node.callEvent = monitor.callEvent(thread, node.op);
    this.monitor = monitor.apply(this.monitor, node.callEvent);
  }

  /** Goes on to the thread's next scheduling point, doing its plain accesses on the way (M2). */
  #settle(thread: number, first: Edge): void {
    let edge = first;
    let opening: ThreadNode | null = null;
    for (;;) {
      if (edge.returned.length > 0) {
        if (this.status[thread]! & Status.calling) {
          opening!.mustStep = true; // M6
          this.#hasLearned = true;
          return;
        }
        // Leaving a loop though nothing changed: it counts its turns.
        const status = this.status[thread]!;
        if (status & Status.forced || (status & Status.doing) === Status.paused) {
          this.boundedSpin = true;
        }
        if (!this.#returned(thread, edge)) return;
        if (edge.counted !== this.epoch && this.#isCertain) {
          edge.counted = this.epoch;
          this.#parts.covered(thread, edge);
        }
      }
      if (edge.failure !== null) {
        this.#fail({ ...edge.failure, thread });
        if (this.doom > 0) this.#die(thread);
        return;
      }
      const node = edge.to!;
      this.nodes[thread] = node;
      if (node.access === null) {
        this.#end(thread);
        return;
      }
      this.#arrive(thread, node);
      if (this.grown) return;
      const { kind } = node.access;
      const isInvisible = isPlain(kind) || node.isPrivate;
      if (!isInvisible || node.isRacy || node.mustStep) return;
      if (node.opening && this.#parts.monitor !== null) {
        this.status[thread]! |= Status.calling;
        opening = node;
      }
      const value = this.#invisible(thread, node);
      if (this.isStopped) {
        this.recorder?.push({ thread, node, branch: 0, value, edge: null });
        return;
      }
      edge = node.edges.get(value) ?? this.#parts.grow(thread, node, value);
      this.recorder?.push({ thread, node, branch: 0, value, edge });
    }
  }

  #returned(thread: number, edge: Edge): boolean {
    const monitor = this.#parts.monitor;
    if (monitor === null || this.monitor < 0) return true;
    edge.events ??= edge.returned.map(({ op, result }) => monitor.returnEvent(thread, op, result));
    for (let index = 0; index < edge.events.length; index++) {
      const before = this.monitor;
      this.monitor = monitor.apply(before, edge.events[index]!);
      if (this.monitor >= 0) continue;
      const { op, result } = edge.returned[index]!;
      const call = describeCall(this.#parts.automata[thread]!.script, op);
      const states = monitor.states(before).join(' or ');
      this.#fail({
        kind: 'linearizability',
        message: `${call} returned ${describeValue(result)}, which no order of the calls explains; before it, the specification was at ${states}`,
        thread,
      });
      return this.failure === null;
    }
    return true;
  }

  #end(thread: number): void {
    if (this.status[thread]! & Status.forced) this.boundedSpin = true;
    this.status[thread] = Status.ended;
    this.#apply(thread, this.#parts.knowledge.end(thread));
  }

  #crash(thread: number): void {
    this.#cover('crashed');
    this.recorder?.push({
      thread,
      node: this.nodes[thread]!,
      branch: Branch.crash,
      value: 0,
      edge: null,
    });
    this.#die(thread);
  }

  #die(thread: number): void {
    this.status[thread] = Status.ended | Status.crashed;
    const rest = this.#parts.waiters
      .list(this.waiters)
      .filter((waiter) => waiter.thread !== thread);
    this.waiters = this.#parts.waiters.intern(rest);
    this.#apply(thread, this.#parts.knowledge.end(thread));
  }

  readonly #summary = (effect: number): EffectSummary => this.#parts.knowledge.summary(effect);

  /** Applies an effect to who knows what; a race is a failure. */
  #apply(thread: number, effect: number): void {
    const { knowledge, racy } = this.#parts;
    if (this.isStopped) return;
    const next = knowledge.apply(this.knowledge, effect);
    if (racy !== null) {
      const after = racy.apply(this.racy, effect, this.#summary);
      if (after === impossible) this.isImpossible = true;
      else this.racy = after;
    }
    if (next !== raceFound) {
      this.knowledge = next;
      return;
    }
    const race = knowledge.explainRace(this.knowledge, effect);
    const { kind, at, bytes } = this.nodes[thread]!.access!;
    const how = isPlain(kind) ? 'plain' : 'atomic';
    const what = kind === Kind.read ? 'read' : kind === Kind.write ? 'write' : 'access';
    const place = this.#parts.describe(at, bytes);
    this.#fail({
      kind: 'race',
      message: `T${thread}'s ${how} ${what} races with T${race.thread}'s ${shapeName(race.shape)}, at ${place}`,
      thread,
    });
  }

  /** Whether something was learned that makes the search start over. */
  get grown(): boolean {
    const { knowledge, sharing, racy } = this.#parts;
    return this.#hasLearned || knowledge.grown || sharing.grown || racy?.grown === true;
  }

  /** Whether there is no point in going on with the step. */
  get isStopped(): boolean {
    return this.failure !== null || this.isImpossible || this.grown;
  }

  /** Prepares what this search needs to know of a node. */
  #arrive(thread: number, node: ThreadNode): void {
    if (node.epoch === this.epoch) return;
    const { sharing } = this.#parts;
    if (!node.noted) {
      node.noted = true;
      sharing.note(thread, node.access!);
    }
    node.epoch = this.epoch;
    node.effect = -1;
    node.writeEffect = -1;
    node.isPrivate = isAtomic(node.access!.kind) && sharing.isUnseen(thread, node.access!);
    node.isRacy = this.#isRacy(node.access!);
    if (node.isRacy) node.isPrivate = false;
  }

  #isRacy({ kind, at, bytes }: Access): boolean {
    if (bytes === 0 || !this.#parts.isRacy(at, bytes)) return false;
    if (!isPlain(kind) && kind !== Kind.load) {
      throw new UnmodelledError('declared racy memory takes plain accesses and Atomics.load only');
    }
    return true;
  }

  /** An access that needs no scheduling point. */
  #invisible(thread: number, node: ThreadNode): Raw {
    return isPlain(node.access!.kind) ? this.#plain(thread, node) : this.#local(thread, node);
  }

  /** An atomic access that no other thread can see. */
  #local(thread: number, node: ThreadNode): Raw {
    const access = node.access!;
    const { memory } = this.#parts;
    const old = memory.read(this.memory, access.at, access.bytes);
    if (writes(access, old)) {
      this.memory = memory.write(this.memory, access.at, access.bytes, applied(access, old));
      if (this.status[thread]! & Status.forced) this.boundedSpin = true;
    }
    return access.kind === Kind.store ? 0 : old;
  }

  #effect(thread: number, node: ThreadNode, wrote: boolean): number {
    const known = wrote ? node.writeEffect : node.effect;
    if (known >= 0) return known;
    const { kind, at, bytes } = node.access!;
    const atomic = !isPlain(kind);
    const reads = kind !== Kind.store && kind !== Kind.write;
    const effect = this.#parts.knowledge.effect(thread, at, bytes, atomic, reads, wrote);
    if (wrote) node.writeEffect = effect;
    else node.effect = effect;
    return effect;
  }

  #changed(thread: number, before: number): void {
    if (this.memory === before) return;
    if (this.status[thread]! & Status.forced) this.boundedSpin = true;
    for (let other = 0; other < this.#threads; other++) {
      const status = this.status[other]!;
      if (other === thread || (status & Status.pauser) === 0) continue;
      if ((status & Status.doing) === Status.paused) {
        this.status[other] =
          (status & ~(Status.doing | Status.dirty | Status.forced)) | Status.ready;
      } else {
        this.status[other] = (status & ~Status.forced) | Status.dirty;
      }
    }
  }

  #atomic(thread: number, node: ThreadNode): Raw {
    const access = node.access!;
    const { memory } = this.#parts;
    const old = memory.read(this.memory, access.at, access.bytes);
    const wrote = writes(access, old);
    if (!wrote && access.kind === Kind.compareExchange) this.#cover('cas-failed');
    this.#apply(thread, this.#effect(thread, node, wrote));
    if (wrote) {
      const before = this.memory;
      this.memory = memory.write(before, access.at, access.bytes, applied(access, old));
      this.#changed(thread, before);
    }
    return access.kind === Kind.store ? 0 : old;
  }

  #plain(thread: number, node: ThreadNode): Raw {
    const access = node.access!;
    const { memory } = this.#parts;
    this.#apply(thread, this.#effect(thread, node, access.kind === Kind.write));
    if (access.kind === Kind.read) return memory.read(this.memory, access.at, access.bytes);
    const before = this.memory;
    this.memory = memory.write(before, access.at, access.bytes, access.a);
    this.#changed(thread, before);
    return 0;
  }

  #pause(thread: number): void {
    const status = this.status[thread]!;
    if (!this.#parts.pauseSleeps) return;
    this.#cover('paused');
    // M4
    const sleeps = (status & Status.pauser) !== 0 && (status & Status.dirty) === 0;
    const flags = (status & ~(Status.doing | Status.dirty | Status.forced)) | Status.pauser;
    this.status[thread] = flags | (sleeps ? Status.paused : Status.ready);
  }

  /** The atomic load and the critical section of `wait` and `waitAsync`. @returns whether the value is the expected one */
  #enqueues(thread: number, node: ThreadNode): boolean {
    const { at, bytes, a } = node.access!;
    this.#apply(thread, this.#effect(thread, node, false));
    this.#apply(thread, this.#parts.knowledge.waiterList(thread, at));
    return this.#parts.memory.read(this.memory, at, bytes) === a;
  }

  #addWaiter(waiter: Waiter): void {
    const { waiters } = this.#parts;
    this.waiters = waiters.intern([...waiters.list(this.waiters), waiter]);
  }

  #wait(thread: number, node: ThreadNode, branch: number): void {
    const { at, timeoutMs } = node.access!;
    const { waiters } = this.#parts;
    if (branch === Branch.timeout) {
      this.#cover('timed-out');
      const rest = waiters
        .list(this.waiters)
        .filter((waiter) => waiter.thread !== thread || waiter.wait >= 0);
      this.waiters = waiters.intern(rest);
      this.status[thread] = this.status[thread]! & ~Status.doing;
      this.#continue(thread, node, branch, waitRaw.timedOut);
      return;
    }
    if (!this.#enqueues(thread, node)) {
      this.#continue(thread, node, branch, waitRaw.notEqual);
      return;
    }
    if (timeoutMs === 0) {
      this.#continue(thread, node, branch, waitRaw.timedOut);
      return;
    }
    this.#cover('blocked');
    if (this.status[thread]! & Status.forced) this.boundedSpin = true;
    const finite = timeoutMs !== Number.POSITIVE_INFINITY;
    this.#addWaiter({ at, thread, wait: -1, finite, notified: false });
    this.status[thread] = (this.status[thread]! & ~Status.doing) | Status.waiting;
    this.recorder?.push({ thread, node, branch, value: 'asleep', edge: null });
  }

  #waitAsync(thread: number, node: ThreadNode): void {
    const { at, timeoutMs } = node.access!;
    if (!this.#enqueues(thread, node)) {
      this.#continue(thread, node, 0, waitRaw.notEqual);
      return;
    }
    if (timeoutMs === 0) {
      this.#continue(thread, node, 0, waitRaw.timedOut);
      return;
    }
    this.#cover('blocked');
    const finite = timeoutMs !== Number.POSITIVE_INFINITY;
    this.#addWaiter({ at, thread, wait: node.waits, finite, notified: false });
    this.#continue(thread, node, 0, waitRaw.ok);
  }

  #notify(thread: number, node: ThreadNode): void {
    const { at, a } = node.access!;
    const { knowledge, waiters } = this.#parts;
    this.#apply(thread, knowledge.waiterList(thread, at));
    const woken: number[] = [];
    let count = 0;
    const rest: Waiter[] = [];
    for (const waiter of waiters.list(this.waiters)) {
      if (waiter.at !== at || waiter.notified || count >= (a as number)) {
        rest.push(waiter);
        continue;
      }
      count++;
      if (waiter.wait >= 0) rest.push({ ...waiter, notified: true });
      else woken.push(waiter.thread);
    }
    if (count > 0) this.waiters = waiters.intern(rest);
    this.#continue(thread, node, Branch.next, count);
    for (const sleeper of woken) {
      if (this.isStopped) return;
      this.#wake(sleeper, at);
    }
  }

  #wake(thread: number, at: number): void {
    this.#cover('woken');
    this.status[thread] = this.status[thread]! & ~Status.doing;
    this.#apply(thread, this.#parts.knowledge.waiterList(thread, at));
    this.#continue(thread, this.nodes[thread]!, Branch.next, waitRaw.ok);
  }

  /** An idle event loop takes a wake-up, a timeout or a timer. */
  #event(thread: number, node: ThreadNode, branch: number): void {
    const event = branch - Branch.choice;
    const { waiters, knowledge } = this.#parts;
    if ((event & 3) !== 2) {
      const wait = event >> 2;
      const waiter = waiters
        .list(this.waiters)
        .find((entry) => entry.thread === thread && entry.wait === wait)!;
      const rest = waiters.list(this.waiters).filter((entry) => entry !== waiter);
      this.waiters = waiters.intern(rest);
      this.#cover((event & 3) === 0 ? 'woken' : 'timed-out');
      this.#apply(thread, knowledge.waiterList(thread, waiter.at));
    }
    this.#continue(thread, node, branch, event);
  }
}
