/**
 * Sleeping and waking: `pause`, `wait`, `waitAsync`, `notify`, and the events of an idle event loop. A wake-up goes on
 * with the sleeper; how, machine.ts says.
 */
import { Kind, type Raw, waitRaw } from './access.ts';
import type { ThreadNode } from './automaton.ts';
import { Branch, Status } from './machine-parts.ts';
import { MachineState } from './machine-state.ts';
import { loopEvent } from './replay.ts';
import type { Waiter } from './waiters.ts';

/** The part of a machine that sleeps. */
export abstract class MachineWaits extends MachineState {
  /** Gives a thread the value of its pending access, and goes on to its next scheduling point. */
  protected abstract continue(thread: number, node: ThreadNode, branch: number, value: Raw): void;

  protected mayTimeOut(node: ThreadNode): boolean {
    if (node.timeouts < this.parts.timeouts) return true;
    this.timeoutsCut = true;
    return false;
  }

  /** Whether the thread only sleeps because the search cuts its timeouts. */
  polls(thread: number): boolean {
    const node = this.nodes[thread]!;
    const { kind, timeoutMs, b } = node.access!;
    if (node.timeouts < this.parts.timeouts) return false;
    if (kind === Kind.wait) return timeoutMs !== Number.POSITIVE_INFINITY;
    const own = this.parts.waiters.list(this.waiters).filter((waiter) => waiter.thread === thread);
    return kind === Kind.idle && ((b as number) >= 0 || own.some((waiter) => waiter.finite));
  }

  protected idleBranches(thread: number, node: ThreadNode, found: number[]): number {
    let count = 0;
    for (const waiter of this.parts.waiters.list(this.waiters)) {
      if (waiter.thread !== thread || waiter.wait < 0) continue;
      if (waiter.notified) found[count++] = Branch.choice + loopEvent.wake(waiter.wait);
      else if (waiter.finite && this.mayTimeOut(node))
        found[count++] = Branch.choice + loopEvent.timeout(waiter.wait);
    }
    const timer = node.access!.b as number;
    if (timer >= 0 && this.mayTimeOut(node))
      found[count++] = Branch.choice + loopEvent.timer(timer);
    return count;
  }

  protected pause(thread: number): void {
    const status = this.status[thread]!;
    if (!this.parts.pauseSleeps) return;
    this.cover('paused');
    // M4
    const sleeps = (status & Status.pauser) !== 0 && (status & Status.dirty) === 0;
    const flags = (status & ~(Status.doing | Status.dirty | Status.forced)) | Status.pauser;
    this.status[thread] = flags | (sleeps ? Status.paused : Status.ready);
  }

  /** The atomic load and the critical section of `wait` and `waitAsync`. @returns whether the value is the expected one */
  protected enqueues(thread: number, node: ThreadNode): boolean {
    const { at, bytes, a } = node.access!;
    this.apply(thread, this.effect(thread, node, false));
    this.apply(thread, this.parts.knowledge.waiterList(thread, at));
    return this.parts.memory.read(this.memory, at, bytes) === a;
  }

  protected addWaiter(waiter: Waiter): void {
    const { waiters } = this.parts;
    this.waiters = waiters.intern([...waiters.list(this.waiters), waiter]);
  }

  protected wait(thread: number, node: ThreadNode, branch: number): void {
    const { at, timeoutMs } = node.access!;
    const { waiters } = this.parts;
    if (branch === Branch.timeout) {
      this.cover('timed-out');
      const rest = waiters
        .list(this.waiters)
        .filter((waiter) => waiter.thread !== thread || waiter.wait >= 0);
      this.waiters = waiters.intern(rest);
      this.status[thread] = this.status[thread]! & ~Status.doing;
      this.continue(thread, node, branch, waitRaw.timedOut);
      return;
    }
    if (!this.enqueues(thread, node)) {
      this.continue(thread, node, branch, waitRaw.notEqual);
      return;
    }
    if (timeoutMs === 0) {
      this.continue(thread, node, branch, waitRaw.timedOut);
      return;
    }
    this.cover('blocked');
    if (this.status[thread]! & Status.forced) this.boundedSpin = true;
    const finite = timeoutMs !== Number.POSITIVE_INFINITY;
    this.addWaiter({ at, thread, wait: -1, finite, notified: false });
    this.status[thread] = (this.status[thread]! & ~Status.doing) | Status.waiting;
    this.recorder?.push({ thread, node, branch, value: 'asleep', edge: null });
  }

  protected waitAsync(thread: number, node: ThreadNode): void {
    const { at, timeoutMs } = node.access!;
    if (!this.enqueues(thread, node)) {
      this.continue(thread, node, 0, waitRaw.notEqual);
      return;
    }
    if (timeoutMs === 0) {
      this.continue(thread, node, 0, waitRaw.timedOut);
      return;
    }
    this.cover('blocked');
    const finite = timeoutMs !== Number.POSITIVE_INFINITY;
    this.addWaiter({ at, thread, wait: node.waits, finite, notified: false });
    this.continue(thread, node, 0, waitRaw.ok);
  }

  protected notify(thread: number, node: ThreadNode): void {
    const { at, a } = node.access!;
    const { knowledge, waiters } = this.parts;
    this.apply(thread, knowledge.waiterList(thread, at));
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
    this.continue(thread, node, Branch.next, count);
    for (const sleeper of woken) {
      if (this.isStopped) return;
      this.wake(sleeper, at);
    }
  }

  protected wake(thread: number, at: number): void {
    this.cover('woken');
    this.status[thread] = this.status[thread]! & ~Status.doing;
    this.apply(thread, this.parts.knowledge.waiterList(thread, at));
    this.continue(thread, this.nodes[thread]!, Branch.next, waitRaw.ok);
  }

  /** An idle event loop takes a wake-up, a timeout or a timer. */
  protected event(thread: number, node: ThreadNode, branch: number): void {
    const event = branch - Branch.choice;
    const { waiters, knowledge } = this.parts;
    if ((event & 3) !== 2) {
      const wait = event >> 2;
      const waiter = waiters
        .list(this.waiters)
        .find((entry) => entry.thread === thread && entry.wait === wait)!;
      const rest = waiters.list(this.waiters).filter((entry) => entry !== waiter);
      this.waiters = waiters.intern(rest);
      this.cover((event & 3) === 0 ? 'woken' : 'timed-out');
      this.apply(thread, knowledge.waiterList(thread, waiter.at));
    }
    this.continue(thread, node, branch, event);
  }
}
