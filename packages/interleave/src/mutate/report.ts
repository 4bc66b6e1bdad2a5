/** What came of a mutation gate, for programs and for people. */
import type { Annotation, Mutant } from './mutants.ts';

/**
 * What became of a mutant. Good: `killed` by a violation, an error or an endless loop, `equivalent` by its
 * comment, `deferred` to deep runs by its comment. Bad: `survived`, `undecided` because a scenario grew beyond
 * its limit, `stale` because its comment isn't true. In between: `unreached` by any scenario.
 */
export type MutantStatus =
  | 'killed'
  | 'equivalent'
  | 'deferred'
  | 'unreached'
  | 'survived'
  | 'undecided'
  | 'stale';

/** A mutant and what became of it. */
export interface MutantResult {
  /** File of the change, relative to the folder. */
  readonly file: string;
  /** The change. */
  readonly mutant: Mutant;
  /** What became of it. */
  readonly status: MutantStatus;
  /** Who noticed and how, or what its comment says. */
  readonly reason: string;
}

const bad: readonly MutantStatus[] = ['survived', 'undecided', 'stale'];

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').slice(0, 160);

/** A comment that explains no mutant. */
export interface UnusedAnnotation extends Annotation {
  /** The file that it is in. */
  readonly file: string;
}

/** Result of a gate. */
export class GateResult {
  /** Name of the gate. */
  readonly name: string;
  /** A result per mutant, in the order of files and lines. */
  readonly results: readonly MutantResult[];
  /** Comments that explain no mutant. */
  readonly unused: readonly UnusedAnnotation[];
  /** Mutants that may be unreached (count). */
  readonly unreachedAllowed: number;
  /** Wall-clock time (milliseconds). */
  readonly durationMs: number;

  /** @internal */
  constructor(
    name: string,
    results: readonly MutantResult[],
    unused: readonly UnusedAnnotation[],
    unreachedAllowed: number,
    durationMs: number,
  ) {
    this.name = name;
    this.results = results;
    this.unused = unused;
    this.unreachedAllowed = unreachedAllowed;
    this.durationMs = durationMs;
  }

  /** Counts the mutants of a status. */
  count(status: MutantStatus): number {
    return this.results.filter((result) => result.status === status).length;
  }

  /** Whether every mutant is killed or explained, and no more are unreached than allowed. */
  get passed(): boolean {
    return (
      bad.every((status) => this.count(status) === 0) &&
      this.unused.length === 0 &&
      this.count('unreached') <= this.unreachedAllowed
    );
  }

  /** The counts in one line, and everything that is wrong in one line each. */
  toString(): string {
    const statuses: MutantStatus[] = ['killed', 'equivalent', 'deferred', 'unreached', ...bad];
    const counts = statuses.map((status) => `${this.count(status)} ${status}`);
    const seconds = (this.durationMs / 1000).toFixed(1);
    const lines = [
      `${this.name}: ${this.results.length} mutants in ${seconds} s: ${counts.join(', ')}`,
    ];
    const shown = this.count('unreached') > this.unreachedAllowed ? [...bad, 'unreached'] : bad;
    for (const { file, mutant, status, reason } of this.results) {
      if (!shown.includes(status)) continue;
      const { line, operator, before, after } = mutant;
      lines.push(
        `  ${status}: ${file}:${line} ${operator}: ${oneLine(before)} => ${oneLine(after)}`,
        ...(reason === '' || status === 'unreached' ? [] : [`    ${oneLine(reason)}`]),
      );
    }
    if (this.count('unreached') > this.unreachedAllowed) {
      lines.push(
        `  unreached mutants: ${this.count('unreached')}, allowed ${this.unreachedAllowed}`,
      );
    }
    for (const { file, line, kind, operator } of this.unused) {
      lines.push(`  unused comment: ${file}:${line} ${kind} ${operator}`);
    }
    return lines.join('\n');
  }
}
