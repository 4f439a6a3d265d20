// Go's text/template, second half: tokens into a tree of nodes.

import { lexTemplate, TemplateError } from './lex-template.ts';
import type { Piece, Token } from './lex-template.ts';

export type Operand =
  | { readonly kind: 'literal'; readonly value: string | number; readonly isFloat: boolean }
  | { readonly kind: 'constant'; readonly value: boolean | undefined }
  | { readonly kind: 'dot' }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'function'; readonly name: string }
  | { readonly kind: 'pipeline'; readonly pipeline: Pipeline };

/** An operand and the fields behind it: `$x.Labels.job`, `.Value`, `(first .).Labels`. */
export interface Term {
  readonly operand: Operand;
  readonly fields: readonly string[];
}

export interface Pipeline {
  /** Variables that take the value; two only in `range`. */
  readonly variables: readonly string[];
  readonly isDeclaration: boolean;
  readonly commands: readonly (readonly Term[])[];
}

export type TemplateNode =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly pipeline: Pipeline; readonly line: number }
  | {
      readonly kind: 'if' | 'with' | 'range';
      readonly pipeline: Pipeline;
      readonly body: readonly TemplateNode[];
      readonly otherwise: readonly TemplateNode[];
      readonly line: number;
    }
  | {
      readonly kind: 'template';
      readonly name: string;
      readonly pipeline: Pipeline | undefined;
      readonly line: number;
    }
  | { readonly kind: 'break' | 'continue' };

export interface Template {
  readonly nodes: readonly TemplateNode[];
  readonly defined: ReadonlyMap<string, readonly TemplateNode[]>;
}

const depthMax = 100;

/** Throws TemplateError with the line. */
export function parseTemplate(text: string): Template {
  const parser = new BlockParser(lexTemplate(text));
  const { nodes, end } = parser.block(0);
  if (end !== '') throw new TemplateError(`unexpected {{${end}}}`);
  return { nodes, defined: parser.defined };
}

class BlockParser {
  readonly defined = new Map<string, readonly TemplateNode[]>();
  readonly #pieces: readonly Piece[];
  #next = 0;

  constructor(pieces: readonly Piece[]) {
    this.#pieces = pieces;
  }

  /** Nodes up to `end`, `else` or the end of the text; says which. */
  block(depth: number): { nodes: TemplateNode[]; end: string; rest: TokenReader | undefined } {
    if (depth > depthMax) throw new TemplateError(`blocks nested more than ${depthMax} deep`);
    const nodes: TemplateNode[] = [];
    for (;;) {
      const piece = this.#pieces[this.#next++];
      if (piece === undefined) return { nodes, end: '', rest: undefined };
      if ('text' in piece) {
        if (piece.text !== '') nodes.push({ kind: 'text', text: piece.text });
        continue;
      }
      const reader = new TokenReader(piece.action, piece.line);
      const word = reader.keyword();
      if (word === 'end' || word === 'else') return { nodes, end: word, rest: reader };
      this.#action(word, reader, nodes, depth);
    }
  }

  #action(word: string, reader: TokenReader, nodes: TemplateNode[], depth: number): void {
    const { line } = reader;
    switch (word) {
      case 'if':
      case 'with':
      case 'range':
        nodes.push(this.#control(word, reader, depth));
        return;
      case 'define':
        this.defined.set(reader.stringLiteral(), this.#closed(depth, line));
        return;
      case 'block': {
        const name = reader.stringLiteral();
        const pipeline = reader.pipeline(true);
        this.defined.set(name, this.#closed(depth, line));
        nodes.push({ kind: 'template', name, pipeline, line });
        return;
      }
      case 'template': {
        const name = reader.stringLiteral();
        nodes.push({
          kind: 'template',
          name,
          pipeline: reader.isAtEnd ? undefined : reader.pipeline(true),
          line,
        });
        return;
      }
      case 'break':
      case 'continue':
        nodes.push({ kind: word });
        return;
      default:
        nodes.push({ kind: 'action', pipeline: reader.pipeline(true), line });
    }
  }

  #closed(depth: number, line: number): TemplateNode[] {
    const { nodes, end } = this.block(depth + 1);
    if (end !== 'end')
      throw new TemplateError(`line ${line}: unexpected ${end === '' ? 'EOF' : `{{${end}}}`}`);
    return nodes;
  }

  #control(kind: 'if' | 'with' | 'range', reader: TokenReader, depth: number): TemplateNode {
    const pipeline = reader.pipeline(true);
    const { nodes: body, end, rest } = this.block(depth + 1);
    let otherwise: readonly TemplateNode[] = [];
    if (end === 'else') otherwise = this.#otherwise(rest!, depth);
    else if (end === '') throw new TemplateError(`line ${reader.line}: unexpected EOF`);
    return { kind, pipeline, body, otherwise, line: reader.line };
  }

  /** `{{else}}` to its `{{end}}`; `{{else if x}}` shares the `{{end}}` of the outer one. */
  #otherwise(rest: TokenReader, depth: number): readonly TemplateNode[] {
    const word = rest.keyword();
    if (word === 'if' || word === 'with') return [this.#control(word, rest, depth + 1)];
    return this.#closed(depth, rest.line);
  }
}

const keywords = new Set([
  'if',
  'else',
  'end',
  'range',
  'with',
  'define',
  'block',
  'template',
  'break',
  'continue',
]);

class TokenReader {
  readonly line: number;
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(tokens: readonly Token[], line: number) {
    this.#tokens = tokens;
    this.line = line;
    this.#skipSpace();
  }

  get isAtEnd(): boolean {
    return this.#next >= this.#tokens.length;
  }

  keyword(): string {
    const token = this.#tokens[this.#next];
    if (token?.kind !== 'identifier' || !keywords.has(token.text)) return '';
    this.#take();
    return token.text;
  }

  stringLiteral(): string {
    const token = this.#take();
    if (token?.kind !== 'string') this.#fail('want a quoted name');
    return unquote(token.text);
  }

  pipeline(toEnd: boolean): Pipeline {
    const { variables, isDeclaration } = this.#assignment();
    const commands: Term[][] = [];
    do commands.push(this.#command());
    while (this.#takeIf('|'));
    if (toEnd && !this.isAtEnd)
      this.#fail(`unexpected ${JSON.stringify(this.#tokens[this.#next]!.text)} in command`);
    return { variables, isDeclaration, commands };
  }

  /** `$x :=`, `$x =`, `$i, $x :=` */
  #assignment(): { variables: string[]; isDeclaration: boolean } {
    const start = this.#next;
    const variables: string[] = [];
    while (this.#tokens[this.#next]?.kind === 'variable') {
      variables.push(this.#take()!.text);
      if (this.#takeIf(',')) continue;
      if (this.#takeIf(':=')) return { variables, isDeclaration: true };
      if (this.#takeIf('=')) return { variables, isDeclaration: false };
      break;
    }
    this.#next = start;
    return { variables: [], isDeclaration: false };
  }

  #command(): Term[] {
    const terms: Term[] = [];
    while (!this.isAtEnd && !['|', ')'].includes(this.#tokens[this.#next]!.text)) terms.push(this.#term());
    if (terms.length === 0) this.#fail('missing value for command');
    return terms;
  }

  #term(): Term {
    const operand = this.#operand();
    const fields: string[] = [];
    if (operand.kind === 'dot') {
      const own =
        this.#tokens[this.#next - 1]?.kind === 'field' ? this.#tokens[this.#next - 1]!.text.slice(1) : '';
      if (own !== '') fields.push(own);
    }
    while (this.#tokens[this.#next]?.kind === 'field' && this.#tokens[this.#next]!.text !== '.')
      fields.push(this.#tokens[this.#next++]!.text.slice(1));
    this.#skipSpace();
    return { operand, fields };
  }

  /** Leaves spaces, since a field belongs to what it touches. */
  #operand(): Operand {
    const token = this.#tokens[this.#next++]!;
    switch (token.kind) {
      case 'field':
        return { kind: 'dot' };
      case 'variable':
        return { kind: 'variable', name: token.text };
      case 'string':
        return { kind: 'literal', value: unquote(token.text), isFloat: false };
      case 'char':
        return { kind: 'literal', value: token.text.codePointAt(1)!, isFloat: false };
      case 'number':
        return {
          kind: 'literal',
          value: Number(token.text.replaceAll('_', '')),
          isFloat: /[.eE]/.test(token.text) && !/^[+-]?0[xX]/.test(token.text),
        };
      case 'identifier':
        return identifierOperand(token.text);
      case 'operator':
      case 'space':
        if (token.text !== '(') this.#fail(`unexpected ${JSON.stringify(token.text)} in operand`);
        return this.#parenthesized();
    }
  }

  #parenthesized(): Operand {
    this.#skipSpace();
    const pipeline = this.pipeline(false);
    if (this.#tokens[this.#next]?.text !== ')') this.#fail('unclosed left paren');
    this.#next++;
    return { kind: 'pipeline', pipeline };
  }

  #takeIf(text: string): boolean {
    if (this.#tokens[this.#next]?.text !== text) return false;
    this.#take();
    return true;
  }

  #take(): Token | undefined {
    const token = this.#tokens[this.#next++];
    this.#skipSpace();
    return token;
  }

  #skipSpace(): void {
    while (this.#tokens[this.#next]?.kind === 'space') this.#next++;
  }

  #fail(reason: string): never {
    throw new TemplateError(`line ${this.line}: ${reason}`);
  }
}

function identifierOperand(name: string): Operand {
  if (name === 'true' || name === 'false') return { kind: 'constant', value: name === 'true' };
  return name === 'nil' ? { kind: 'constant', value: undefined } : { kind: 'function', name };
}

/** Go's string literals, raw and interpreted. */
function unquote(text: string): string {
  if (text.startsWith('`')) return text.slice(1, -1);
  const escapes: Readonly<Record<string, string>> = {
    n: '\n',
    t: '\t',
    r: '\r',
    a: '\u0007',
    b: '\b',
    f: '\f',
    v: '\v',
  };
  return text
    .slice(1, -1)
    .replaceAll(/\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|(.))/g, (_, hex, unicode, char) => {
      const code = (hex ?? unicode) as string | undefined;
      if (code !== undefined) return String.fromCodePoint(Number.parseInt(code, 16));
      return escapes[char as string] ?? (char as string);
    });
}
