/**
 * Slow, obvious reference parser: the whole input as one latin1 string, one regular expression a line. Shares
 * no code with the package. Events are strings, so that lists of them compare by equality.
 */
export interface OracleOptions {
  framing: 'lines' | 'dcs';
  gluedGuards?: boolean;
  maxLineBytes?: number;
  limitPolicy?: 'error' | 'truncate' | 'skip';
}

const KNOWN: [RegExp, RegExp][] = [
  [/^%(unlinked-)?window-(add|close)( |$)/, /^\S+ @\d{1,10}$/],
  [/^%(unlinked-)?window-renamed( |$)/, /^\S+ @\d{1,10} .*$/s],
  [/^%window-pane-changed( |$)/, /^\S+ @\d{1,10} %\d{1,10}$/],
  [/^%(pane-mode-changed|pause|continue)( |$)/, /^\S+ %\d{1,10}$/],
  [/^%layout-change( |$)/, /^\S+ @\d{1,10} [^ ]*( [^ ]*( [^ ]*)?)?$/],
  [/^%session-(changed|renamed)( |$)/, /^\S+ \$\d{1,10} .*$/s],
  [/^%sessions-changed( |$)/, /^\S+ ?$/],
  [/^%session-window-changed( |$)/, /^\S+ \$\d{1,10} @\d{1,10}$/],
  [/^%client-session-changed( |$)/, /^\S+ .+ \$\d{1,10} .*$/s],
  [/^%client-detached( |$)/, /^\S+ .+$/s],
  [/^%paste-buffer-(changed|deleted)( |$)/, /^/],
  [
    /^%subscription-changed( |$)/,
    /^\S+ .*? \$\d{1,10} (@\d{1,10}|-) (\d{1,10}|-) (%\d{1,10}|-)( .*?)? : .*$/s,
  ],
  [/^%(config-error|message)( |$)/, /^/],
  [/^%(begin|end|error|output|extended-output)( |$)/, /^$/],
];

const decode = (raw: string): string =>
  raw.replace(/\\([0-3][0-7][0-7])/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );

export function oracle(input: string, options: OracleOptions): string[] {
  const events: string[] = [];
  let rest = input;
  let text = '';
  const inDcs = options.framing === 'dcs';
  let inLines = options.framing === 'lines';
  let block: string | undefined;
  let crlf: boolean | undefined;
  const passed = (): void => {
    if (text !== '') events.push(`text ${text}`);
    text = '';
  };
  for (;;) {
    if (!inLines) {
      const at = rest.indexOf('\x1bP1000p');
      if (at < 0) {
        text += rest;
        passed();
        break;
      }
      text += rest.slice(0, at);
      passed();
      events.push('enter');
      rest = rest.slice(at + 7);
      inLines = true;
      crlf = undefined;
      continue;
    }
    if (inDcs && block === undefined && rest.startsWith('\x1b\\')) {
      events.push('leave');
      rest = rest.slice(2);
      inLines = false;
      continue;
    }
    const lineFeed = rest.indexOf('\n');
    const max = options.maxLineBytes ?? Number.POSITIVE_INFINITY;
    let line = lineFeed < 0 ? rest : rest.slice(0, lineFeed);
    rest = lineFeed < 0 ? '' : rest.slice(lineFeed + 1);
    if (line.length > max) {
      events.push('overlong');
      if (options.limitPolicy !== 'truncate') {
        if (lineFeed < 0) break;
        continue;
      }
      line = line.slice(0, max);
    } else if (lineFeed < 0) {
      if (line !== '') events.push(`partial ${line}`);
      break;
    }
    const hadCr = line.endsWith('\r');
    if (hadCr && crlf !== false) line = line.slice(0, -1);
    let match: RegExpExecArray | null;
    if (block !== undefined) {
      if (line === `%end ${block}`) events.push(`end ${block}`);
      else if (line === `%error ${block}`) events.push(`error ${block}`);
      else if (options.gluedGuards && line.endsWith(`%end ${block}`)) {
        events.push(`reply ${line.slice(0, -`%end ${block}`.length)}`, `end ${block}`);
      } else if (options.gluedGuards && line.endsWith(`%error ${block}`)) {
        events.push(`reply ${line.slice(0, -`%error ${block}`.length)}`, `error ${block}`);
      } else {
        events.push(`reply ${line}`);
        continue;
      }
      block = undefined;
      continue;
    }
    if (!line.startsWith('%') || line.length < 2 || /^%(end|error) /.test(line)) {
      events.push(`stray ${line}`);
    } else if (line.startsWith('%begin ')) {
      if (!/^%begin \d{1,20} \d{1,20}( \d{1,20})?$/.test(line)) events.push(`malformed ${line}`);
      else {
        block = line.slice(7);
        crlf ??= hadCr;
        events.push(`begin ${block}`);
      }
    } else if (line.startsWith('%output %')) {
      match = /^%output %(\d{1,10}) (.*)$/s.exec(line);
      if (match && Number(match[1]) < 2 ** 32) {
        events.push(`output ${Number(match[1])} ${decode(match[2]!)}`);
      } else events.push(`malformed ${line}`);
    } else if (line.startsWith('%extended-output %')) {
      match = /^%extended-output %(\d{1,10}) (\d{1,15})(?= )(.*?) : (.*)$/s.exec(line);
      if (match && Number(match[1]) < 2 ** 32) {
        events.push(`extended ${Number(match[1])} ${Number(match[2])} ${decode(match[4]!)}`);
      } else events.push(`malformed ${line}`);
    } else if (/^%exit( |$)/.test(line)) {
      events.push(`exit ${line.slice(6)}`);
    } else {
      const known = KNOWN.find(([name]) => name.test(line));
      if (known === undefined) events.push(`unknown ${line}`);
      else if (known[1].test(line)) events.push(`notification ${line.split(' ')[0]!.slice(1)}`);
      else events.push(`malformed ${line}`);
    }
  }
  if (block !== undefined) events.push(`abandon ${block}`);
  return events;
}
