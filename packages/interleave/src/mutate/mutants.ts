/**
 * Mutants of one source: each edit applied by itself, with what comments say of it.
 *
 * A comment at the line of a change, or in the comment lines right above it, explains a mutant:
 *
 *   // mutant-ok wrong-word, other-word: the hint may be stale, both words are refreshed below
 *   // mutant-deep swap-statements: takes two producers
 *
 * `mutant-ok` says that the change makes no difference; `mutant-deep` that only large scenarios notice.
 */
import ts from 'typescript';
import type { MutationOperator } from './operator-names.ts';
import { type Edit, editsOf, statementAt } from './operators.ts';

/** One changed source. */
export interface Mutant {
  /** What kind of change. */
  readonly operator: MutationOperator;
  /** Line of the change (from 1). */
  readonly line: number;
  /** Source text before. */
  readonly before: string;
  /** Source text after. */
  readonly after: string;
  /** The whole file with the change. */
  readonly code: string;
  /** Why the change makes no difference, if a comment `mutant-ok OPERATOR: reason` says so. */
  readonly equivalent?: string;
  /** Why only large scenarios notice, if a comment `mutant-deep OPERATOR: reason` says so. */
  readonly deep?: string;
}

/** A comment that explains mutants. */
export interface Annotation {
  /** Whether mutants are explained, or left to deep runs. */
  readonly kind: 'mutant-ok' | 'mutant-deep';
  /** Which kind of change it explains. */
  readonly operator: string;
  /** Why. */
  readonly reason: string;
  /** Line that it is about: its own, or the first line of code below. */
  readonly line: number;
}

const annotationPattern = /\b(mutant-ok|mutant-deep) ([\w-]+(?:, *[\w-]+)*): *(.+?)(?: *\*\/)?\s*$/;
const commentLine = /^\s*(?:\/\/|\*|\/\*)/;

/** All annotations of a source. */
export function annotationsOf(source: string): Annotation[] {
  const lines = source.split('\n');
  return lines.flatMap((text, index) => {
    const match = annotationPattern.exec(text);
    if (match === null) return [];
    let line = index;
    while (line < lines.length && commentLine.test(lines[line]!)) line++;
    const kind = match[1] as Annotation['kind'];
    const operators = match[2]!.split(/, */);
    return operators.map((operator) => ({ kind, operator, reason: match[3]!, line: line + 1 }));
  });
}

/** A mutant with its place, for runners. */
export interface PlacedMutant extends Mutant {
  /** Start of the statement that the change is part of; -1 outside of function bodies. */
  readonly statement: number;
}

/** The mutants of a source, in its order. */
export function placedMutants(
  source: string,
  operators?: readonly MutationOperator[],
): PlacedMutant[] {
  const file = ts.createSourceFile('source.ts', source, ts.ScriptTarget.ES2022, true);
  const annotations = annotationsOf(source);
  const reason = (kind: string, operator: string, line: number): string | undefined =>
    annotations.find(
      (entry) => entry.kind === kind && entry.operator === operator && entry.line === line,
    )?.reason;
  const mutant = ({ operator, from, to, text }: Edit): PlacedMutant => {
    const line = file.getLineAndCharacterOfPosition(from).line + 1;
    const equivalent = reason('mutant-ok', operator, line);
    const deep = reason('mutant-deep', operator, line);
    return {
      operator,
      line,
      before: source.slice(from, to),
      after: text,
      code: source.slice(0, from) + text + source.slice(to),
      statement: statementAt(file, from),
      ...(equivalent === undefined ? {} : { equivalent }),
      ...(deep === undefined ? {} : { deep }),
    };
  };
  return editsOf(file)
    .filter(({ operator }) => operators === undefined || operators.includes(operator))
    .map(mutant);
}

/**
 * Lists the mutants of a source.
 *
 * @param source - TypeScript
 * @param operators - which kinds of change. @defaultValue all
 * @returns one mutant per change, in the order of the source
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { mutantsOf } from '@millrace/interleave/mutate';
 *
 * const found = mutantsOf('export const f = (w: Int32Array) => { Atomics.store(w, 0, 1); };');
 * assert.deepEqual(found.map(({ operator }) => operator).sort(), ['drop-store', 'plain-access', 'wrong-word']);
 * ```
 */
export function mutantsOf(source: string, operators?: readonly MutationOperator[]): Mutant[] {
  return placedMutants(source, operators).map(({ statement: _, ...mutant }) => mutant);
}
