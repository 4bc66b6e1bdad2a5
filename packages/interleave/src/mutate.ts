/**
 * Mutation testing for concurrency: breaks shared-memory code in the ways in which people break it, one change at a time,
 * and asks whether the scenarios notice.
 *
 * Source: mutation operators for concurrency after Bradbury, Cordy and Dingel ("Mutation Operators for
 * Concurrent Java", 2006), for Atomics. The sources are parsed with the TypeScript compiler (a peer); each mutant
 * is loaded in this process from a temporary copy of the source folder. Node only.
 *
 * @packageDocumentation
 */
import ts from 'typescript';
import { check, checkAsync } from './check.ts';
import { ScenarioError } from './errors.ts';
import type { CheckResult, Scenario } from './scenario.ts';

/** Kinds of change. */
export type MutationOperator =
  | 'plain-access'
  | 'atomic-access'
  | 'drop-store'
  | 'drop-notify'
  | 'notify-one'
  | 'notify-elsewhere'
  | 'compare-exchange-to-store'
  | 'ignore-compare-exchange'
  | 'split-read-modify-write'
  | 'swap-statements'
  | 'index-off-by-one'
  | 'mask-off-by-one'
  | 'wrong-word'
  | 'drop-recheck'
  | 'skip-condition';

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
  /** Why the change makes no difference, if a comment `mutant-ok OPERATOR: reason` says so at or above the line. */
  readonly equivalent?: string;
}

interface Edit {
  readonly operator: MutationOperator;
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

const readModifyWrites: Readonly<Record<string, string>> = {
  add: '+',
  sub: '-',
  and: '&',
  or: '|',
  xor: '^',
};

/** Name of the Atomics function that a call calls; empty for others. */
function atomicsName(node: ts.Node): string {
  if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return '';
  const { expression, name } = node.expression;
  return ts.isIdentifier(expression) && expression.text === 'Atomics' ? name.text : '';
}

const isWholeStatement = (node: ts.Node): boolean => ts.isExpressionStatement(node.parent);

/** Collects the edits of one file. */
class Collector {
  readonly edits: Edit[] = [];
  readonly #file: ts.SourceFile;

  constructor(file: ts.SourceFile) {
    this.#file = file;
  }

  #text(node: ts.Node): string {
    return node.getText(this.#file);
  }

  #add(operator: MutationOperator, node: ts.Node, text: string): void {
    this.edits.push({ operator, from: node.getStart(this.#file), to: node.getEnd(), text });
  }

  visit(node: ts.Node): void {
    if (ts.isCallExpression(node)) this.#call(node);
    if (ts.isElementAccessExpression(node)) this.#element(node);
    if (ts.isBinaryExpression(node)) this.#binary(node);
    if (ts.isIfStatement(node)) this.#condition(node);
    if (ts.isBlock(node)) this.#block(node);
    ts.forEachChild(node, (child) => this.visit(child));
  }

  #call(node: ts.CallExpression): void {
    const name = atomicsName(node);
    if (name === '') return;
    const [view = '', index = '', a = '', b = ''] = node.arguments.map((item) => this.#text(item));
    const element = `${view}[${index}]!`;
    const alone = isWholeStatement(node);
    if (name === 'load') this.#add('plain-access', node, element);
    else if (name === 'store') {
      this.#add('plain-access', node, `(${view}[${index}] = ${a})`);
      if (alone) this.#add('drop-store', node, 'void 0');
    } else if (name === 'notify') this.#notify(node, view, index);
    else if (name === 'compareExchange') {
      this.#add(
        'compare-exchange-to-store',
        node,
        `(Atomics.store(${view}, ${index}, ${b}), ${a})`,
      );
      this.#add(
        'ignore-compare-exchange',
        node,
        `(Atomics.compareExchange(${view}, ${index}, ${a}, ${b}), ${a})`,
      );
    } else if (name in readModifyWrites) this.#readModifyWrite(node, name, view, index, a);
    else if (name === 'exchange') {
      this.#add('split-read-modify-write', node, split(view, index, a));
    }
    if (index !== '' && name !== 'notify') this.#word(node);
  }

  #notify(node: ts.CallExpression, view: string, index: string): void {
    if (isWholeStatement(node)) this.#add('drop-notify', node, 'void 0');
    this.#add('notify-elsewhere', node, `Atomics.notify(${view}, (${index}) + 1)`);
    if (node.arguments.length === 2)
      this.#add('notify-one', node, `Atomics.notify(${view}, ${index}, 1)`);
  }

  #readModifyWrite(
    node: ts.CallExpression,
    name: string,
    view: string,
    index: string,
    a: string,
  ): void {
    const sum = `Atomics.load(${view}, ${index}) ${readModifyWrites[name]} (${a})`;
    this.#add('split-read-modify-write', node, split(view, index, sum));
    if (isWholeStatement(node)) this.#add('drop-store', node, 'void 0');
  }

  /** The neighbouring word instead of the right one. */
  #word(node: ts.CallExpression): void {
    const index = node.arguments[1]!;
    this.#add('wrong-word', index, `(${this.#text(index)}) + 1`);
  }

  #element(node: ts.ElementAccessExpression): void {
    const { parent } = node;
    const target = ts.isNonNullExpression(parent) ? parent : node;
    const view = this.#text(node.expression);
    const index = node.argumentExpression;
    const isAssigned =
      ts.isBinaryExpression(parent) &&
      parent.left === node &&
      parent.operatorToken.kind === ts.SyntaxKind.EqualsToken;
    if (!isAssigned && !ts.isNumericLiteral(index) && target !== node) {
      this.#add('index-off-by-one', index, `(${this.#text(index)}) + 1`);
    }
    if (isAssigned && isWholeStatement(parent)) {
      this.#add(
        'atomic-access',
        parent,
        `Atomics.store(${view}, ${this.#text(index)}, ${this.#text(parent.right)})`,
      );
      this.#add('drop-store', parent, 'void 0');
    }
  }

  #binary(node: ts.BinaryExpression): void {
    const { left, operatorToken, right } = node;
    if (operatorToken.kind === ts.SyntaxKind.AmpersandToken && !ts.isNumericLiteral(right)) {
      this.#add('mask-off-by-one', right, `((${this.#text(right)}) >> 1)`);
    }
    const operator = this.#text(operatorToken);
    const other = ({ '>=': '>', '>': '>=', '<=': '<', '<': '<=' } as Record<string, string>)[
      operator
    ];
    if (other !== undefined) {
      this.#add('index-off-by-one', node, `${this.#text(left)} ${other} ${this.#text(right)}`);
    }
  }

  #condition(node: ts.IfStatement): void {
    const leaves =
      ts.isReturnStatement(node.thenStatement) || ts.isContinueStatement(node.thenStatement);
    this.#add(
      leaves ? 'drop-recheck' : 'skip-condition',
      node.expression,
      leaves ? 'false' : 'true',
    );
  }

  /** Neighbouring statements of which both reach memory change places. */
  #block(node: ts.Block): void {
    for (let index = 0; index + 1 < node.statements.length; index++) {
      const [first, second] = [node.statements[index]!, node.statements[index + 1]!];
      if (!reachesMemory(first) || !reachesMemory(second)) continue;
      const from = first.getStart(this.#file);
      const text = `${this.#text(second)}\n${this.#text(first)}`;
      this.edits.push({ operator: 'swap-statements', from, to: second.getEnd(), text });
    }
  }
}

const split = (view: string, index: string, value: string): string =>
  `((old) => (Atomics.store(${view}, ${index}, ${value}), old))(Atomics.load(${view}, ${index}))`;

function reachesMemory(node: ts.Node): boolean {
  if (!ts.isExpressionStatement(node)) return false;
  const { expression } = node;
  if (atomicsName(expression) !== '') return true;
  return ts.isBinaryExpression(expression) && ts.isElementAccessExpression(expression.left);
}

/** The reason that a `mutant-ok` comment gives at the line or the line above. */
function reasonAt(lines: readonly string[], line: number, operator: string): string | undefined {
  for (const text of [lines[line - 1] ?? '', lines[line - 2] ?? '']) {
    const match = /mutant-ok ([\w-]+): (.+?)(?:\*\/)?\s*$/.exec(text);
    if (match?.[1] === operator) return match[2];
  }
  return undefined;
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
  const file = ts.createSourceFile('source.ts', source, ts.ScriptTarget.ES2022, true);
  const collector = new Collector(file);
  collector.visit(file);
  const lines = source.split('\n');
  return collector.edits
    .filter(({ operator }) => operators === undefined || operators.includes(operator))
    .sort((x, y) => x.from - y.from)
    .map(({ operator, from, to, text }) => {
      const line = file.getLineAndCharacterOfPosition(from).line + 1;
      const equivalent = reasonAt(lines, line, operator);
      return {
        operator,
        line,
        before: source.slice(from, to),
        after: text,
        code: source.slice(0, from) + text + source.slice(to),
        ...(equivalent === undefined ? {} : { equivalent }),
      };
    });
}

/** What became of a mutant. */
export interface MutantResult {
  /** File of the change, relative to the folder. */
  readonly file: string;
  /** The change. */
  readonly mutant: Mutant;
  /** `killed` by a violation or an error; `equivalent` by its comment; else `survived`. */
  readonly status: 'killed' | 'equivalent' | 'survived';
  /** What killed it, or why it is equivalent. */
  readonly reason: string;
}

/** What to mutate, and who is to notice. */
export interface MutationOptions<Module> {
  /** Folder of the sources; it is copied whole for each mutant. */
  readonly directory: string;
  /** Files to mutate, relative to the folder. */
  readonly files: readonly string[];
  /** Module that the scenarios use, relative to the folder. */
  readonly entry: string;
  /** Makes the scenarios from the loaded module; the mutant is killed by the first that isn't verified. */
  scenarios(module: Module): readonly Scenario<never>[];
  /** Whether threads are async. @defaultValue false */
  readonly asynchronous?: boolean;
  /** Which kinds of change. @defaultValue all */
  readonly operators?: readonly MutationOperator[];
  /** Told about each result as it comes. */
  onResult?(result: MutantResult): void;
}

interface FileSystem {
  readonly readdirSync: (path: string) => string[];
  readonly readFileSync: (path: string, encoding: 'utf8') => string;
  readonly writeFileSync: (path: string, text: string) => void;
  readonly mkdtempSync: (prefix: string) => string;
  readonly rmSync: (path: string, options: { recursive: true; force: true }) => void;
}

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

async function judge<Module>(
  url: string,
  options: MutationOptions<Module>,
): Promise<string | null> {
  try {
    const module = (await import(url)) as Module;
    for (const scenario of options.scenarios(module)) {
      const result: CheckResult =
        options.asynchronous === true ? await checkAsync(scenario) : check(scenario);
      if (result.verdict !== 'verified') return `${result.name}: ${result.message}`;
    }
    return null;
  } catch (error) {
    return String(error);
  }
}

/**
 * Runs the scenarios against every mutant.
 *
 * @param options - sources, scenarios
 * @returns a result per mutant, in the order of files and lines
 * @throws {ScenarioError} If the scenarios don't hold for the sources as they are.
 *
 * Concurrency: one at a time. Cost: the scenarios once per mutant, until one of them notices.
 */
export async function mutationTest<Module>(
  options: MutationOptions<Module>,
): Promise<MutantResult[]> {
  const fs = (await import('node:fs')) as unknown as FileSystem;
  const { tmpdir } = await import('node:os');
  const { join } = await import('node:path');
  const { pathToFileURL } = await import('node:url');
  const { directory, files, entry, operators } = options;
  const sources = new Map(
    fs
      .readdirSync(directory)
      .filter((name) => name.endsWith('.ts'))
      .map((name) => [name, fs.readFileSync(join(directory, name), 'utf8')]),
  );
  const unchanged = new Map([...sources].map(([name, source]) => [name, compiled(source)]));
  const temporary: string[] = [];
  const run = (changed: string, code: string): Promise<string | null> => {
    const folder = fs.mkdtempSync(join(tmpdir(), 'interleave-'));
    temporary.push(folder);
    fs.writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    for (const [name, original] of unchanged) {
      const text = name === changed ? compiled(code) : original;
      fs.writeFileSync(join(folder, name.replace(/\.ts$/, '.js')), text);
    }
    const url = pathToFileURL(join(folder, entry.replace(/\.ts$/, '.js'))).href;
    return judge(url, options);
  };
  try {
    const before = await run('', '');
    if (before !== null) throw new ScenarioError(`the scenarios fail without a change: ${before}`);
    const results: MutantResult[] = [];
    for (const file of files) {
      for (const mutant of mutantsOf(sources.get(file)!, operators)) {
        const killer = mutant.equivalent === undefined ? await run(file, mutant.code) : null;
        const status =
          mutant.equivalent !== undefined ? 'equivalent' : killer === null ? 'survived' : 'killed';
        const reason = mutant.equivalent ?? killer ?? '';
        const result: MutantResult = { file, mutant, status, reason };
        results.push(result);
        options.onResult?.(result);
        for (const folder of temporary.splice(0))
          fs.rmSync(folder, { recursive: true, force: true });
      }
    }
    return results;
  } finally {
    for (const folder of temporary) fs.rmSync(folder, { recursive: true, force: true });
  }
}
