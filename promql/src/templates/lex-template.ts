// Go's text/template, first half: text and actions, actions into tokens.

export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}

export interface Token {
  readonly kind: 'field' | 'variable' | 'identifier' | 'string' | 'number' | 'char' | 'operator' | 'space';
  readonly text: string;
}

/** Literal text, or the tokens of one action. */
export type Piece = { readonly text: string } | { readonly action: readonly Token[]; readonly line: number };

const patterns: readonly (readonly [Token['kind'], RegExp])[] = [
  ['space', /\s+/y],
  ['variable', /\$[\p{L}_]?[\p{L}\p{N}_]*/uy],
  ['number', /[+-]?(?:0[xX][0-9a-fA-F_]+|\d[\d_]*(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)/y],
  ['field', /\.(?:[\p{L}_][\p{L}\p{N}_]*)?/uy],
  ['identifier', /[\p{L}_][\p{L}\p{N}_]*/uy],
  ['string', /"(?:[^"\\\n]|\\.)*"|`[^`]*`/y],
  ['char', /'(?:[^'\\]|\\.)+'/y],
  ['operator', /:=|==|=|\||\(|\)|,/y],
];
const actionsMax = 10_000;

/** Splits a template. Throws TemplateError with the line. */
export function lexTemplate(text: string): Piece[] {
  const pieces: Piece[] = [];
  let position = 0;
  while (position < text.length) {
    const open = text.indexOf('{{', position);
    if (open < 0) {
      pieces.push({ text: text.slice(position) });
      break;
    }
    const trimsLeft = /^\{\{-\s/.test(text.slice(open, open + 4));
    const before = text.slice(position, open);
    pieces.push({ text: trimsLeft ? before.trimEnd() : before });
    const action = lexAction(text, open + (trimsLeft ? 3 : 2));
    if (action.tokens.length > 0) pieces.push({ action: action.tokens, line: lineAt(text, open) });
    position = action.trimsRight ? text.length - text.slice(action.end).trimStart().length : action.end;
    if (pieces.length > actionsMax)
      throw new TemplateError(`line ${lineAt(text, open)}: more than ${actionsMax} actions`);
  }
  return pieces;
}

function lexAction(text: string, start: number): { tokens: Token[]; end: number; trimsRight: boolean } {
  const comment = /^\s*\/\*[\s\S]*?\*\/\s*-?\}\}/.exec(text.slice(start));
  if (comment !== null)
    return { tokens: [], end: start + comment[0].length, trimsRight: comment[0].endsWith('-}}') };
  const tokens: Token[] = [];
  let position = start;
  for (;;) {
    const end = /(?:\s-)?\}\}/y;
    end.lastIndex = position;
    const closing = end.exec(text);
    if (closing !== null) return { tokens, end: end.lastIndex, trimsRight: closing[0].length > 2 };
    if (position >= text.length) throw new TemplateError(`line ${lineAt(text, start)}: unclosed action`);
    const token = nextToken(text, position);
    tokens.push(token);
    position += token.text.length;
  }
}

function nextToken(text: string, position: number): Token {
  for (const [kind, pattern] of patterns) {
    pattern.lastIndex = position;
    const match = pattern.exec(text);
    if (match !== null) return { kind, text: match[0] };
  }
  throw new TemplateError(
    `line ${lineAt(text, position)}: unexpected ${JSON.stringify(text[position])} in command`,
  );
}

function lineAt(text: string, position: number): number {
  return text.slice(0, position).split('\n').length;
}
