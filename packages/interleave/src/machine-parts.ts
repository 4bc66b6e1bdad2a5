/** What the machine (machine.ts) is made of and says: the status of a thread, its steps, failures, records. */
import type { Raw } from './access.ts';
import type { Automaton, Edge, ThreadNode } from './automaton.ts';
import type { Knowledge } from './knowledge.ts';
import type { MemoryStates } from './memory-states.ts';
import type { Monitor } from './monitor.ts';
import type { RacyMemory } from './racy.ts';
import type { Kind as FailureKind } from './scenario.ts';
import type { Sharing } from './sharing.ts';
import type { Waiters } from './waiters.ts';

/** Status of a thread: two bits for what it does, flags above. */
export const Status = {
  ready: 0,
  waiting: 1,
  ended: 2,
  paused: 3,
  doing: 3,
  /** Memory has changed since this thread's last pause. */
  dirty: 4,
  /** The thread has paused before. */
  pauser: 8,
  /** Woken though nothing changed, because nothing else could happen. */
  forced: 16,
  crashed: 32,
  /** A call has begun that hasn't yet taken a step: its interval begins with the next one. */
  calling: 64,
} as const;

/** Which of a thread's possible steps; wake-ups, timers and values of racy reads are numbered from `choice`. */
export const Branch = { next: 0, timeout: 1, crash: 2, force: 3, choice: 4 } as const;

/** Why a path is wrong. */
export interface Failure {
  readonly kind: FailureKind;
  readonly message: string;
  readonly thread: number;
}

/** A step as the recorder of traces sees it. */
export interface Recorded {
  readonly thread: number;
  readonly node: ThreadNode;
  readonly branch: number;
  readonly value: Raw;
  readonly edge: Edge | null;
}

export interface MachineParts {
  readonly automata: readonly Automaton[];
  readonly memory: MemoryStates;
  readonly knowledge: Knowledge;
  readonly sharing: Sharing;
  readonly monitor: Monitor | null;
  readonly waiters: Waiters;
  /** Absent when no races are declared. */
  readonly racy: RacyMemory | null;
  readonly isRacy: (at: number, bytes: number) => boolean;
  /** Names a place of memory, for reports. */
  readonly describe: (at: number, bytes: number) => string;
  /** Threads that may die. */
  readonly crashing: readonly boolean[];
  /** Timeouts and timers that a call may see. */
  readonly timeouts: number;
  readonly pauseSleeps: boolean;
  /** Creates a missing edge, or throws to have it created. */
  readonly grow: (thread: number, node: ThreadNode | null, value: Raw) => Edge;
  /** Told about situations, and about edges on which calls return, for the coverage report. */
  readonly cover: (name: string) => void;
  readonly covered: (thread: number, edge: Edge) => void;
}

/** Words for the shape of an access, as knowledge.ts writes it. */
export const shapeName = (shape: string): string => {
  switch (shape[0]) {
    case 'r':
      return 'plain read';
    case 'w':
      return 'plain write';
    case 'R':
      return `atomic read of ${shape.split('+')[1]} bytes`;
    default:
      return `atomic write of ${shape.split('+')[1]} bytes`;
  }
};
