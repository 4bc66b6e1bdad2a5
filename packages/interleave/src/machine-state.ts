/**
 * Where the whole program stands, in registers, and what one access does to it. The steps are in machine.ts, which also
 * numbers the invariants M1 to M6.
 *
 *   row of a state:
 *   +----------------------------+-----+--------+-----------+---------+---------+---------------------+
 *   | node << 8 | status         | ... | memory | knowledge | monitor | waiters | racy, doom,         |
 *   | thread 0                   | T-1 | id     | id        | id      | id      | last and preemptions|
 *   +----------------------------+-----+--------+-----------+---------+---------+---------------------+
 */
import { type Access, applied, isAtomic, isPlain, Kind, type Raw, writes } from './access.ts';
import type { ThreadNode } from './automaton.ts';
import { UnmodelledError } from './errors.ts';
import { type EffectSummary, raceFound } from './knowledge.ts';
import {
  type Failure,
  type MachineParts,
  type Recorded,
  Status,
  shapeName,
} from './machine-parts.ts';
import { Native } from './native.ts';
import { impossible } from './racy.ts';

/** The registers of a machine. */
export abstract class MachineState {
  protected readonly parts: MachineParts;
  protected readonly threads: number;
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
  protected readonly failures: Failure[] = [];
  /** Set by a step that shows the program wrong. */
  failure: Failure | null = null;
  /** Set when a spin loop turned out to count its turns. */
  boundedSpin = false;
  /** Set when a call might have timed out once more than is searched. */
  timeoutsCut = false;
  recorder: Recorded[] | null = null;
  /** A call without a step was found. */
  protected hasLearned = false;
  /** Number of this search: places found to need tracking start a new one. */
  epoch = 0;

  constructor(parts: MachineParts) {
    this.parts = parts;
    this.threads = parts.automata.length;
    this.nodes = new Array<ThreadNode>(this.threads);
    this.status = new Native.Int32Array(this.threads);
  }

  /** Cells of a row, without the one for preemption bounds. */
  get width(): number {
    return this.threads + (this.parts.racy === null ? 4 : 6);
  }

  load(cells: Int32Array, from: number): void {
    const threads = this.threads;
    for (let thread = 0; thread < threads; thread++) {
      const cell = cells[from + thread]!;
      this.nodes[thread] = this.parts.automata[thread]!.nodes[cell >>> 8]!;
      this.status[thread] = cell & 0xff;
    }
    this.memory = cells[from + threads]!;
    this.knowledge = cells[from + threads + 1]!;
    this.monitor = cells[from + threads + 2]!;
    this.waiters = cells[from + threads + 3]!;
    this.failure = null;
    this.isImpossible = false;
    if (this.parts.racy === null) return;
    this.racy = cells[from + threads + 4]!;
    this.doom = cells[from + threads + 5]!;
  }

  save(row: Int32Array): void {
    const threads = this.threads;
    for (let thread = 0; thread < threads; thread++) {
      row[thread] = (this.nodes[thread]!.id << 8) | this.status[thread]!;
    }
    row[threads] = this.memory;
    row[threads + 1] = this.knowledge;
    row[threads + 2] = this.monitor;
    row[threads + 3] = this.waiters;
    if (this.parts.racy === null) return;
    row[threads + 4] = this.racy;
    row[threads + 5] = this.doom;
  }

  /** Begins a search anew, with what was learned. */
  restart(): void {
    this.hasLearned = false;
    this.epoch++;
  }

  /** Whether the path depends on no promise. */
  protected get isCertain(): boolean {
    const { racy } = this.parts;
    return racy === null || !racy.hasPromises(this.racy);
  }

  /** Counts a situation, unless it is on a path that may not exist. */
  protected cover(name: string): void {
    if (this.isCertain) this.parts.cover(name);
  }

  /** Ends the search, or dooms a path that may not exist (M5). */
  protected fail(failure: Failure): void {
    if (this.isImpossible) return;
    if (this.isCertain) {
      this.failure ??= failure;
      return;
    }
    if (this.doom > 0) return;
    const known = this.failures.findIndex(({ message }) => message === failure.message);
    this.doom = known >= 0 ? known + 1 : this.failures.push(failure);
  }

  /** Whether something was learned that makes the search start over. */
  get grown(): boolean {
    const { knowledge, sharing, racy } = this.parts;
    return this.hasLearned || knowledge.grown || sharing.grown || racy?.grown === true;
  }

  /** Whether there is no point in going on with the step. */
  get isStopped(): boolean {
    return this.failure !== null || this.isImpossible || this.grown;
  }

  protected readonly summary = (effect: number): EffectSummary =>
    this.parts.knowledge.summary(effect);

  /** Applies an effect to who knows what; a race is a failure. */
  protected apply(thread: number, effect: number): void {
    const { knowledge, racy } = this.parts;
    if (this.isStopped) return;
    const next = knowledge.apply(this.knowledge, effect);
    if (racy !== null) {
      const after = racy.apply(this.racy, effect, this.summary);
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
    const place = this.parts.describe(at, bytes);
    this.fail({
      kind: 'race',
      message: `T${thread}'s ${how} ${what} races with T${race.thread}'s ${shapeName(race.shape)}, at ${place}`,
      thread,
    });
  }

  /** Prepares what this search needs to know of a node. */
  protected arrive(thread: number, node: ThreadNode): void {
    if (node.epoch === this.epoch) return;
    const { sharing } = this.parts;
    if (!node.noted) {
      node.noted = true;
      sharing.note(thread, node.access!);
    }
    node.epoch = this.epoch;
    node.effect = -1;
    node.writeEffect = -1;
    node.isPrivate = isAtomic(node.access!.kind) && sharing.isUnseen(thread, node.access!);
    node.isRacy = this.isRacy(node.access!);
    if (node.isRacy) node.isPrivate = false;
  }

  protected isRacy({ kind, at, bytes }: Access): boolean {
    if (bytes === 0 || !this.parts.isRacy(at, bytes)) return false;
    if (!isPlain(kind) && kind !== Kind.load) {
      throw new UnmodelledError('declared racy memory takes plain accesses and Atomics.load only');
    }
    return true;
  }

  protected effect(thread: number, node: ThreadNode, wrote: boolean): number {
    const known = wrote ? node.writeEffect : node.effect;
    if (known >= 0) return known;
    const { kind, at, bytes } = node.access!;
    const atomic = !isPlain(kind);
    const reads = kind !== Kind.store && kind !== Kind.write;
    const effect = this.parts.knowledge.effect(thread, at, bytes, atomic, reads, wrote);
    if (wrote) node.writeEffect = effect;
    else node.effect = effect;
    return effect;
  }

  protected changed(thread: number, before: number): void {
    if (this.memory === before) return;
    if (this.status[thread]! & Status.forced) this.boundedSpin = true;
    for (let other = 0; other < this.threads; other++) {
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

  /** An access that needs no scheduling point. */
  protected invisible(thread: number, node: ThreadNode): Raw {
    return isPlain(node.access!.kind) ? this.plain(thread, node) : this.local(thread, node);
  }

  /** An atomic access that no other thread can see. */
  protected local(thread: number, node: ThreadNode): Raw {
    const access = node.access!;
    const { memory } = this.parts;
    const old = memory.read(this.memory, access.at, access.bytes);
    if (writes(access, old)) {
      this.memory = memory.write(this.memory, access.at, access.bytes, applied(access, old));
      if (this.status[thread]! & Status.forced) this.boundedSpin = true;
    }
    return access.kind === Kind.store ? 0 : old;
  }

  protected atomic(thread: number, node: ThreadNode): Raw {
    const access = node.access!;
    const { memory } = this.parts;
    const old = memory.read(this.memory, access.at, access.bytes);
    const wrote = writes(access, old);
    if (!wrote && access.kind === Kind.compareExchange) this.cover('cas-failed');
    this.apply(thread, this.effect(thread, node, wrote));
    if (wrote) {
      const before = this.memory;
      this.memory = memory.write(before, access.at, access.bytes, applied(access, old));
      this.changed(thread, before);
    }
    return access.kind === Kind.store ? 0 : old;
  }

  protected plain(thread: number, node: ThreadNode): Raw {
    const access = node.access!;
    const { memory } = this.parts;
    this.apply(thread, this.effect(thread, node, access.kind === Kind.write));
    if (access.kind === Kind.read) return memory.read(this.memory, access.at, access.bytes);
    const before = this.memory;
    this.memory = memory.write(before, access.at, access.bytes, access.a);
    this.changed(thread, before);
    return 0;
  }

  protected racyChoices(thread: number, node: ThreadNode): Raw[] {
    const { at, bytes } = node.access!;
    const current = this.parts.memory.read(this.memory, at, bytes);
    return this.parts.racy!.choices(this.racy, thread, at, bytes, current);
  }
}
