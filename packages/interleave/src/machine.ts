/**
 * The whole program as one machine: a state in registers (machine-state.ts), the steps that are possible in it, and what
 * each does; what sleeps and wakes is in machine-waits.ts.
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
import { isAtomic, isPlain, Kind, type Raw } from './access.ts';
import { describeCall, type Edge, type ThreadNode } from './automaton.ts';
import { Branch, Status } from './machine-parts.ts';
import { MachineWaits } from './machine-waits.ts';
import { impossible } from './racy.ts';
import { describeValue } from './values.ts';

/** The whole program. */
export class Machine extends MachineWaits {
  /** Enters the state after setup, with every thread before its first atomic step. */
  begin(): void {
    const { knowledge, memory, monitor, waiters, automata } = this.parts;
    this.status.fill(0);
    this.memory = memory.start;
    this.knowledge = knowledge.start;
    this.monitor = monitor?.start ?? 0;
    this.waiters = waiters.start;
    this.racy = this.parts.racy?.start ?? 0;
    this.doom = 0;
    this.failure = null;
    this.isImpossible = false;
    for (let thread = 0; thread < this.threads; thread++) {
      const edge = automata[thread]!.root ?? this.parts.grow(thread, null, 0);
      this.settle(thread, edge);
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
      if (timeoutMs !== Number.POSITIVE_INFINITY && this.mayTimeOut(node)) {
        found[count++] = Branch.timeout;
      }
    } else if (doing === Status.ready) {
      if (kind === Kind.idle) count = this.idleBranches(thread, node, found);
      else if (node.isRacy && kind !== Kind.write) {
        const choices = this.racyChoices(thread, node).length;
        while (count < choices) found[count] = Branch.choice + count++;
      } else found[count++] = Branch.next;
    }
    if (this.parts.crashing[thread]) found[count++] = Branch.crash;
    return count;
  }

  /** Takes one step. Check `failure` afterwards, and the knowledge's `grown` before using the state. */
  step(thread: number, branch: number): void {
    this.take(thread, branch);
    if (this.doom > 0 && this.isCertain && !this.isImpossible && !this.grown) {
      this.failure ??= this.failures[this.doom - 1]!;
    }
  }

  protected take(thread: number, branch: number): void {
    const node = this.nodes[thread]!;
    if (branch === Branch.crash) {
      this.crash(thread);
      return;
    }
    if (branch === Branch.force) {
      this.status[thread] = (this.status[thread]! & ~Status.doing) | Status.forced;
    }
    if ((node.opening || this.status[thread]! & Status.calling) && branch !== Branch.timeout) {
      this.call(thread, node);
    }
    const { kind } = node.access!;
    if (node.isRacy) {
      this.racyAccess(thread, node, branch);
      return;
    }
    if (isPlain(kind) || node.isPrivate) {
      this.continue(thread, node, branch, this.invisible(thread, node)); // M6
      return;
    }
    if (isAtomic(kind)) {
      this.continue(thread, node, branch, this.atomic(thread, node));
      return;
    }
    switch (kind) {
      case Kind.pause:
        this.pause(thread);
        this.continue(thread, node, branch, 0);
        return;
      case Kind.wait:
        this.wait(thread, node, branch);
        return;
      case Kind.waitAsync:
        this.waitAsync(thread, node);
        return;
      case Kind.notify:
        this.notify(thread, node);
        return;
      case Kind.idle:
        this.event(thread, node, branch);
        return;
      default:
        this.continue(thread, node, branch, 0);
        return;
    }
  }

  protected override continue(thread: number, node: ThreadNode, branch: number, value: Raw): void {
    if (this.isStopped) {
      this.recorder?.push({ thread, node, branch, value, edge: null });
      return;
    }
    const edge = node.edges.get(value) ?? this.parts.grow(thread, node, value);
    this.recorder?.push({ thread, node, branch, value, edge });
    this.settle(thread, edge);
  }

  protected racyAccess(thread: number, node: ThreadNode, branch: number): void {
    const { at, bytes, a, kind } = node.access!;
    const { racy, memory } = this.parts;
    const current = memory.read(this.memory, at, bytes);
    let value: Raw = 0;
    let next: number;
    if (kind === Kind.write) {
      next = racy!.write(this.racy, thread, at, bytes, current, a);
      const before = this.memory;
      this.memory = memory.write(before, at, bytes, a);
      this.changed(thread, before);
    } else {
      value = this.racyChoices(thread, node)[branch - Branch.choice]!;
      next = racy!.read(this.racy, thread, at, current, value);
    }
    if (next === impossible) this.isImpossible = true;
    else this.racy = next;
    this.continue(thread, node, branch, value);
  }

  protected call(thread: number, node: ThreadNode): void {
    const { monitor } = this.parts;
    this.status[thread]! &= ~Status.calling;
    if (monitor === null || this.monitor < 0) return;
    if (node.callEvent < 0) node.callEvent = monitor.callEvent(thread, node.op);
    this.monitor = monitor.apply(this.monitor, node.callEvent);
  }

  /** Goes on to the thread's next scheduling point, doing its plain accesses on the way (M2). */
  protected settle(thread: number, first: Edge): void {
    let edge = first;
    let opening: ThreadNode | null = null;
    for (;;) {
      if (edge.returned.length > 0) {
        if (this.status[thread]! & Status.calling) {
          opening!.mustStep = true; // M6
          this.hasLearned = true;
          return;
        }
        // Leaving a loop though nothing changed: it counts its turns.
        const status = this.status[thread]!;
        if (status & Status.forced || (status & Status.doing) === Status.paused) {
          this.boundedSpin = true;
        }
        if (!this.returned(thread, edge)) return;
        if (edge.counted !== this.epoch && this.isCertain) {
          edge.counted = this.epoch;
          this.parts.covered(thread, edge);
        }
      }
      if (edge.failure !== null) {
        this.fail({ ...edge.failure, thread });
        if (this.doom > 0) this.die(thread);
        return;
      }
      const node = edge.to!;
      this.nodes[thread] = node;
      if (node.access === null) {
        this.end(thread);
        return;
      }
      this.arrive(thread, node);
      if (this.grown) return;
      const { kind } = node.access;
      const isInvisible = isPlain(kind) || node.isPrivate;
      if (!isInvisible || node.isRacy || node.mustStep) return;
      if (node.opening && this.parts.monitor !== null) {
        this.status[thread]! |= Status.calling;
        opening = node;
      }
      const value = this.invisible(thread, node);
      if (this.isStopped) {
        this.recorder?.push({ thread, node, branch: 0, value, edge: null });
        return;
      }
      edge = node.edges.get(value) ?? this.parts.grow(thread, node, value);
      this.recorder?.push({ thread, node, branch: 0, value, edge });
    }
  }

  protected returned(thread: number, edge: Edge): boolean {
    const monitor = this.parts.monitor;
    if (monitor === null || this.monitor < 0) return true;
    edge.events ??= edge.returned.map(({ op, result }) => monitor.returnEvent(thread, op, result));
    for (let index = 0; index < edge.events.length; index++) {
      const before = this.monitor;
      this.monitor = monitor.apply(before, edge.events[index]!);
      if (this.monitor >= 0) continue;
      const { op, result } = edge.returned[index]!;
      const call = describeCall(this.parts.automata[thread]!.script, op);
      const states = monitor.states(before).join(' or ');
      this.fail({
        kind: 'linearizability',
        message: `${call} returned ${describeValue(result)}, which no order of the calls explains; before it, the specification was at ${states}`,
        thread,
      });
      return this.failure === null;
    }
    return true;
  }

  protected end(thread: number): void {
    if (this.status[thread]! & Status.forced) this.boundedSpin = true;
    this.status[thread] = Status.ended;
    this.apply(thread, this.parts.knowledge.end(thread));
  }

  protected crash(thread: number): void {
    this.cover('crashed');
    this.recorder?.push({
      thread,
      node: this.nodes[thread]!,
      branch: Branch.crash,
      value: 0,
      edge: null,
    });
    this.die(thread);
  }

  protected die(thread: number): void {
    this.status[thread] = Status.ended | Status.crashed;
    const rest = this.parts.waiters.list(this.waiters).filter((waiter) => waiter.thread !== thread);
    this.waiters = this.parts.waiters.intern(rest);
    this.apply(thread, this.parts.knowledge.end(thread));
  }
}
