/**
 * The changes: concurrency mutation operators on the syntax tree of one TypeScript source.
 *
 * Source: operators after Bradbury, Cordy and Dingel ("Mutation Operators for Concurrent Java", 2006), for Atomics:
 * each is a mistake that people make.
 *
 *   source text   ... Atomics.store(words, tail, next); Atomics.notify(words, tail); ...
 *   edit               [from, to) -> text, one per mutant; nothing else of the file changes
 *
 * O1: a statement that only throws, on a condition without Atomics, is left alone: argument checks aren't
 *     concurrency.
 */
import ts from 'typescript';
import type { MutationOperator } from './operator-names.ts';

/** A change of the source text. */
export interface Edit {
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

const comparisons: Readonly<Record<string, string>> = {
  '>=': '>',
  '>': '>=',
  '<=': '<',
  '<': '<=',
};

/** Name of the Atomics function that a call calls; empty for others. */
function atomicsName(node: ts.Node): string {
  if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return '';
  const { expression, name } = node.expression;
  return ts.isIdentifier(expression) && expression.text === 'Atomics' ? name.text : '';
}

const isWholeStatement = (node: ts.Node): boolean => ts.isExpressionStatement(node.parent);

const split = (view: string, index: string, value: string): string =>
  `((old) => (Atomics.store(${view}, ${index}, ${value}), old))(Atomics.load(${view}, ${index}))`;

/** The one statement of a block, or the statement itself. */
const only = (node: ts.Statement): ts.Statement | undefined => {
  if (!ts.isBlock(node)) return node;
  return node.statements.length === 1 ? node.statements[0] : undefined;
};

/** Whether a statement is one step on memory, which may change places with a neighbour. */
function reachesMemory(node: ts.Statement): boolean {
  if (ts.isVariableStatement(node)) {
    const [declaration] = node.declarationList.declarations;
    return declaration?.initializer !== undefined && atomicsName(declaration.initializer) !== '';
  }
  if (!ts.isExpressionStatement(node)) return false;
  const { expression } = node;
  if (atomicsName(expression) !== '') return true;
  return ts.isBinaryExpression(expression) && ts.isElementAccessExpression(expression.left);
}

/** Collects the edits of one file. */
class Collector {
  readonly edits: Edit[] = [];
  readonly #file: ts.SourceFile;
  /** Index expressions of atomic accesses that name a word, in the order of the source. */
  readonly #words: string[];

  constructor(file: ts.SourceFile) {
    this.#file = file;
    const words = new Set<string>();
    const collect = (node: ts.Node): void => {
      if (['load', 'store', 'add'].includes(atomicsName(node))) {
        const index = (node as ts.CallExpression).arguments[1];
        if (index !== undefined && isName(index)) words.add(index.getText(file));
      }
      ts.forEachChild(node, collect);
    };
    collect(file);
    this.#words = [...words];
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
    if (ts.isBlock(node)) this.#block(node);
    if (ts.isIfStatement(node)) {
      const then = only(node.thenStatement);
      const onlyThrows =
        then !== undefined && ts.isThrowStatement(then) && node.elseStatement === undefined;
      if (onlyThrows && !this.#text(node.expression).includes('Atomics.')) return; // O1
      this.#condition(node, then);
    }
    ts.forEachChild(node, (child) => this.visit(child));
  }

  #call(node: ts.CallExpression): void {
    const name = atomicsName(node);
    if (name === '') return;
    const [view = '', index = '', a = '', b = ''] = node.arguments.map((item) => this.#text(item));
    const alone = isWholeStatement(node);
    switch (name) {
      case 'load':
        this.#add('plain-access', node, `${view}[${index}]!`);
        this.#otherWord(node);
        break;
      case 'store':
        this.#add('plain-access', node, `(${view}[${index}] = ${a})`);
        if (alone) this.#add('drop-store', node, 'void 0');
        break;
      case 'notify':
        this.#notify(node, view, index);
        return;
      case 'wait':
      case 'waitAsync':
        this.#wait(node, view, index);
        break;
      case 'compareExchange':
        this.#compareExchange(node, view, index, a, b);
        break;
      case 'exchange':
        this.#add('split-read-modify-write', node, split(view, index, a));
        break;
      default:
        if (name in readModifyWrites) this.#readModifyWrite(node, name, view, index, a);
    }
    if (index !== '') this.#add('wrong-word', node.arguments[1]!, `(${index}) + 1`);
  }

  #compareExchange(node: ts.Node, view: string, index: string, a: string, b: string): void {
    const store = `(Atomics.store(${view}, ${index}, ${b}), ${a})`;
    this.#add('compare-exchange-to-store', node, store);
    const ignored = `(Atomics.compareExchange(${view}, ${index}, ${a}, ${b}), ${a})`;
    this.#add('ignore-compare-exchange', node, ignored);
  }

  #notify(node: ts.CallExpression, view: string, index: string): void {
    if (isWholeStatement(node)) {
      this.#add('drop-notify', node, 'void 0');
      this.#add('repeat-notify', node, `${this.#text(node)}, ${this.#text(node)}`);
    }
    this.#add('notify-elsewhere', node, `Atomics.notify(${view}, (${index}) + 1)`);
    if (node.arguments.length === 2) {
      this.#add('notify-one', node, `Atomics.notify(${view}, ${index}, 1)`);
    }
  }

  #wait(node: ts.CallExpression, view: string, index: string): void {
    const expected = node.arguments[2];
    if (expected === undefined) return;
    if (!ts.isNumericLiteral(expected)) {
      this.#add('late-load', expected, `Atomics.load(${view}, ${index})`);
    }
    if (isWholeStatement(node)) this.#add('drop-wait', node, 'void 0');
  }

  #readModifyWrite(node: ts.Node, name: string, view: string, index: string, a: string): void {
    const sum = `Atomics.load(${view}, ${index}) ${readModifyWrites[name]} (${a})`;
    this.#add('split-read-modify-write', node, split(view, index, sum));
    if (isWholeStatement(node)) this.#add('drop-store', node, 'void 0');
  }

  /** The next other word that the file names, in place of the right one. */
  #otherWord(node: ts.CallExpression): void {
    const index = node.arguments[1];
    const at = index === undefined ? -1 : this.#words.indexOf(this.#text(index));
    if (at < 0 || this.#words.length < 2) return;
    this.#add('other-word', index!, this.#words[(at + 1) % this.#words.length]!);
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
      const value = this.#text(parent.right);
      this.#add('atomic-access', parent, `Atomics.store(${view}, ${this.#text(index)}, ${value})`);
      this.#add('drop-store', parent, 'void 0');
    }
  }

  #binary(node: ts.BinaryExpression): void {
    const { left, operatorToken, right } = node;
    if (operatorToken.kind === ts.SyntaxKind.AmpersandToken && !ts.isNumericLiteral(right)) {
      this.#add('mask-off-by-one', right, `((${this.#text(right)}) >> 1)`);
    }
    const other = comparisons[this.#text(operatorToken)];
    if (other !== undefined) {
      this.#add('index-off-by-one', node, `${this.#text(left)} ${other} ${this.#text(right)}`);
    }
  }

  #condition(node: ts.IfStatement, then: ts.Statement | undefined): void {
    const leaves =
      then !== undefined &&
      (ts.isReturnStatement(then) || ts.isContinueStatement(then) || ts.isBreakStatement(then));
    if (leaves) this.#add('drop-recheck', node.expression, 'false');
    else this.#add('skip-condition', node.expression, 'true');
  }

  #block(node: ts.Block): void {
    for (let index = 0; index + 1 < node.statements.length; index++) {
      const [first, second] = [node.statements[index]!, node.statements[index + 1]!];
      if (!reachesMemory(first) || !reachesMemory(second)) continue;
      if (this.#dependsOn(second, first)) continue;
      const from = first.getStart(this.#file);
      const text = `${this.#text(second)}\n${this.#text(first)}`;
      this.edits.push({ operator: 'swap-statements', from, to: second.getEnd(), text });
    }
  }

  /** Whether a statement uses a variable that another declares. */
  #dependsOn(user: ts.Statement, declaring: ts.Statement): boolean {
    if (!ts.isVariableStatement(declaring)) return false;
    const names = declaring.declarationList.declarations.map(({ name }) => this.#text(name));
    let uses = false;
    const visit = (node: ts.Node): void => {
      if (ts.isIdentifier(node) && names.includes(node.text)) uses = true;
      ts.forEachChild(node, visit);
    };
    visit(user);
    return uses;
  }
}

/** Whether an index is a name, possibly qualified: `tail`, `Word.tail`, `this.tailIndex`. */
const isName = (node: ts.Node): boolean =>
  ts.isIdentifier(node) || (ts.isPropertyAccessExpression(node) && !ts.isCallExpression(node));

/** All edits of a parsed source, in its order. */
export function editsOf(file: ts.SourceFile): Edit[] {
  const collector = new Collector(file);
  collector.visit(file);
  return collector.edits.sort((x, y) => x.from - y.from);
}

/**
 * Start of the statement in a block that a position is part of: where a counter shows whether the position is
 * reached. -1 where there is none.
 */
export function statementAt(file: ts.SourceFile, position: number): number {
  let found = -1;
  const visit = (node: ts.Node): void => {
    if (node.getFullStart() > position || node.getEnd() <= position) return;
    if (
      ts.isStatement(node) &&
      !ts.isBlock(node) &&
      !ts.isFunctionDeclaration(node) &&
      !ts.isClassDeclaration(node) &&
      (ts.isBlock(node.parent) || ts.isCaseClause(node.parent))
    ) {
      found = node.getStart(file);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}
