/**
 * Counts the commands of a line, so the replies that tmux will give: for lines that a user wrote.
 *
 * The lexer of tmux 3.0 and later: `;` between words separates commands, `\;` doesn't; quotes and backslash
 * protect; `#` at the start of a word begins a comment; what stands in braces is an argument.
 *
 * Not countable by anybody: aliases that stand for several commands, and commands that run others (`if-shell`,
 * `source-file`, bindings); send a fence behind those.
 */

const isSpace = (char: string): boolean => char === ' ' || char === '\t';

/**
 * Returns how many replies a line gets, if none of its commands fails or runs others.
 *
 * @param line - one line, with or without its LF
 * @returns 0 for a blank line or a comment: tmux doesn't answer those
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { countStatements } from '@millrace/tmux-proto/commands';
 *
 * assert.equal(countStatements('list-windows ; display -p ";" \\; list-panes'), 2);
 * assert.equal(countStatements('# nothing'), 0);
 * ```
 */
export function countStatements(line: string): number {
  let count = 0;
  let inCommand = false;
  let inWord = false;
  let depth = 0;
  let quote = '';
  for (let at = 0; at < line.length; at++) {
    const char = line[at]!;
    if (quote !== '') {
      if (char === quote) quote = '';
      else if (char === '\\' && quote === '"') at++;
      continue;
    }
    if (char === '\n') break;
    if (char === '"' || char === "'") quote = char;
    else if (char === '\\') at++;
    else if (char === '#' && !inWord) break;
    else if (char === '{' && !inWord) depth++;
    else if (char === '}' && !inWord && depth > 0) depth--;
    else if (char === ';' && depth === 0) {
      inCommand = false;
      inWord = false;
      continue;
    }
    inWord = !isSpace(char) && !(char === '{' && !inWord) && !(depth > 0 && char === ';');
    if (!isSpace(char) && !inCommand) {
      inCommand = true;
      count++;
    }
  }
  return count;
}
