/**
 * The sources under mutation: read once, written as JavaScript into a folder of their own for each mutant, so that
 * the module loader takes each for a new program.
 *
 * For the run without a change every statement is preceded by a counter; so it is known which scenarios reach a
 * mutant, and the others are spared.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import ts from 'typescript';
import { ScenarioError } from '../errors.ts';
import { type Annotation, annotationsOf, type PlacedMutant, placedMutants } from './mutants.ts';
import type { MutationOperator } from './operator-names.ts';

/** Where counters are kept while the unchanged program runs. */
export const reachedKey = '__interleaveReached';

/** JavaScript of a source, so that any Node can load it; imports of `.ts` become imports of `.js`. */
const compiled = (source: string): string =>
  ts
    .transpileModule(source, {
      compilerOptions: {
        target: ts.ScriptTarget.ES2022,
        module: ts.ModuleKind.ESNext,
        verbatimModuleSyntax: true,
      },
    })
    .outputText.replace(/(from\s+|import\s*\(?\s*)(['"])(\.{1,2}\/[^'"]+)\.ts\2/g, '$1$2$3.js$2');

const asScript = (name: string): string => name.replace(/\.ts$/, '.js');

/** Name of a statement for the counters. */
export const statementKey = (file: string, statement: number): string => `${file}:${statement}`;

/** The part of a gate that is about sources. */
export interface ProjectOptions {
  readonly directory: string | URL;
  readonly files: readonly string[];
  readonly entry: string;
  readonly operators?: readonly MutationOperator[];
  readonly workFolder?: string;
}

export class Project {
  readonly mutants: readonly { readonly file: string; readonly mutant: PlacedMutant }[];
  readonly annotations: readonly (Annotation & { readonly file: string })[];
  readonly #entry: string;
  readonly #sources = new Map<string, string>();
  readonly #scripts = new Map<string, string>();
  readonly #folders: string[] = [];
  readonly #parent: string;

  constructor({ directory, files, entry, operators, workFolder = tmpdir() }: ProjectOptions) {
    const isUrl = typeof directory !== 'string' || directory.startsWith('file:');
    const path = isUrl ? fileURLToPath(directory) : directory;
    for (const name of readdirSync(path, { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.ts') || name.endsWith('.d.ts')) continue;
      const source = readFileSync(join(path, name), 'utf8');
      this.#sources.set(name, source);
      this.#scripts.set(name, compiled(source));
    }
    for (const name of [...files, entry]) {
      if (this.#sources.has(name)) continue;
      throw new ScenarioError(`no such source in the folder: file=${name} directory=${path}`);
    }
    this.#entry = entry;
    this.#parent = workFolder;
    mkdirSync(workFolder, { recursive: true });
    this.mutants = files.flatMap((file) =>
      placedMutants(this.#sources.get(file)!, operators).map((mutant) => ({ file, mutant })),
    );
    this.annotations = files.flatMap((file) =>
      annotationsOf(this.#sources.get(file)!).map((annotation) => ({ file, ...annotation })),
    );
  }

  /** Loads the program with a change. */
  load(index: number): Promise<unknown> {
    const { file, mutant } = this.mutants[index]!;
    return this.#import(new Map([[file, compiled(mutant.code)]]));
  }

  /** Loads the program as it is, with counters in the statements that mutants are part of. */
  loadCounted(): Promise<unknown> {
    const starts = new Map<string, Set<number>>();
    for (const { file, mutant } of this.mutants) {
      if (mutant.statement < 0) continue;
      starts.set(file, (starts.get(file) ?? new Set()).add(mutant.statement));
    }
    const changed = [...starts].map(([file, places]): [string, string] => {
      let code = this.#sources.get(file)!;
      for (const place of [...places].sort((x, y) => y - x)) {
        const key = JSON.stringify(statementKey(file, place));
        code = `${code.slice(0, place)}globalThis.${reachedKey}?.add(${key});${code.slice(place)}`;
      }
      return [file, compiled(code)];
    });
    return this.#import(new Map(changed));
  }

  #import(changed: ReadonlyMap<string, string>): Promise<unknown> {
    this.clear();
    const folder = mkdtempSync(join(this.#parent, 'interleave-'));
    this.#folders.push(folder);
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    for (const [name, original] of this.#scripts) {
      const path = join(folder, asScript(name));
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, changed.get(name) ?? original);
    }
    return import(pathToFileURL(join(folder, asScript(this.#entry))).href);
  }

  /** Removes what was written. */
  clear(): void {
    for (const folder of this.#folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  }
}
