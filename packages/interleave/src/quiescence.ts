/** Judges a state in which nothing can happen any more: who still sleeps, and whether anyone should have woken it. */
import { Kind } from './access.ts';
import type { ThreadNode } from './automaton.ts';
import type { Machine } from './machine.ts';
import { type Failure, Status } from './machine-parts.ts';
import type { MemoryStates } from './memory-states.ts';
import type { Thread } from './scenario.ts';
import type { Waiter } from './waiters.ts';

export interface TerminalView {
  readonly machine: Machine;
  readonly memory: MemoryStates;
  readonly waiters: readonly Waiter[];
  readonly threads: readonly Thread<unknown>[];
  readonly describe: (at: number, bytes: number) => string;
}

/** The access by which a waiter went to sleep. */
function sleepNode(node: ThreadNode, wait: number): ThreadNode | null {
  if (wait < 0) return node;
  for (let at: ThreadNode | null = node; at !== null; at = at.parent) {
    if (at.access?.kind === Kind.waitAsync && at.waits === wait) return at;
  }
  return null;
}

/** The failure of the first thread that sleeps for ever and may not; null if there is none. */
export function judgeTerminal(view: TerminalView): Failure | null {
  const { machine, threads } = view;
  for (let thread = 0; thread < threads.length; thread++) {
    const doing = machine.status[thread]! & Status.doing;
    if (doing === Status.ended || threads[thread]!.mayBlock === true) continue;
    if (machine.polls(thread)) continue;
    return asleep(view, thread);
  }
  return null;
}

function asleep(
  { machine, memory, waiters, threads, describe }: TerminalView,
  thread: number,
): Failure {
  const own = waiters.filter((waiter) => waiter.thread === thread);
  const dead = threads.flatMap((_, other) =>
    machine.status[other]! & Status.crashed ? [`T${other}`] : [],
  );
  const after = dead.length > 0 ? ` after the death of ${dead.join(' and ')}` : '';
  for (const waiter of own) {
    const access = sleepNode(machine.nodes[thread]!, waiter.wait)?.access;
    if (access == null) continue;
    const value = memory.read(machine.memory, access.at, access.bytes);
    const place = describe(access.at, access.bytes);
    if (value !== access.a) {
      return {
        kind: 'lost-wakeup',
        message: `T${thread} sleeps for ever${after}: it waits while ${place} is ${access.a}, which is ${value} now, but no notify will come`,
        thread,
      };
    }
  }
  const sleepers = machine.status.filter((status) => (status & Status.doing) !== Status.ended);
  const places = own.map((waiter) => describe(waiter.at, 4)).join(' and ');
  const what = own.length > 0 ? `waits on ${places}` : 'awaits a promise';
  return {
    // Several that wait for each other, or one that everybody else has left behind.
    kind: sleepers.length > 1 ? 'deadlock' : 'lost-wakeup',
    message: `T${thread} sleeps for ever${after}: it ${what}, and no thread will change that`,
    thread,
  };
}
