// Recognises the patterns that need no regexp engine: literals, alternations of them, and globs.
//
// parseShape() reads the small part of RE2's syntax below and gives up (undefined) on all else, which then goes to re2js:
//
//     pattern  = branch { "|" branch }
//     branch   = [ "^" ] { item } [ "$" ]                    anchors only at the outermost level, where they say nothing
//     item     = literal [ "?" ] | ".*" | ".+" | group [ "?" ]
//     group    = "(" pattern ")" | "(?:" pattern ")"         of literals only, or of one branch
//
// What it accepts is always a valid RE2 pattern, and its verdict is RE2's with `.` matching newlines too.
// Products such as `(a|b)-(c|d)` are multiplied out up to PRODUCT_MAX.

import type { Glob } from './glob.ts';

export interface PatternShape {
  /** Values that match as a whole. */
  readonly exact: readonly string[];
  readonly globs: readonly Glob[];
  /** Capturing groups in the pattern. */
  readonly groups: number;
}

// A part is a choice of literals, or the fewest runes that a wildcard takes.
type Part = readonly string[] | 0 | 1;

const PRODUCT_MAX = 256;
const GLOBS_MAX = 32;
const DEPTH_MAX = 10;

export function parseShape(pattern: string): PatternShape | undefined {
  const parser = new ShapeParser(pattern);
  const branches = parser.pattern(0);
  if (branches === undefined || !parser.atEnd) return undefined;
  const exact = new Set<string>();
  const globs: Glob[] = [];
  for (const parts of branches) {
    const literals = asLiterals(parts);
    if (literals !== undefined) for (const literal of literals) exact.add(literal);
    else if (!pushGlobs(globs, parts)) return undefined;
  }
  return { exact: [...exact], globs, groups: parser.groups };
}

class ShapeParser {
  groups = 0;
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  get atEnd(): boolean {
    return this.at === this.text.length;
  }

  /** Branches up to the end or to the `)` that closes this depth. */
  pattern(depth: number): Part[][] | undefined {
    const branches: Part[][] = [];
    do {
      const parts = this.branch(depth);
      if (parts === undefined) return undefined;
      branches.push(parts);
    } while (this.take('|'));
    return branches;
  }

  private branch(depth: number): Part[] | undefined {
    const parts: Part[] = [];
    if (depth === 0) this.take('^');
    while (!this.atEnd && !this.ahead('|') && !this.ahead(')')) {
      if (depth === 0 && this.take('$')) return this.atEnd || this.ahead('|') ? parts : undefined;
      const item = this.item(depth);
      if (item === undefined || this.ahead('*') || this.ahead('+') || this.ahead('{')) return undefined;
      for (const part of item) if (!append(parts, part)) return undefined;
    }
    return parts;
  }

  private item(depth: number): Part[] | undefined {
    if (this.take('.*')) return this.wildcard(0);
    if (this.take('.+')) return this.wildcard(1);
    if (this.take('(')) return this.group(depth);
    const literal = this.literal();
    return literal === undefined ? undefined : this.optional([literal]);
  }

  private wildcard(runes: 0 | 1): Part[] | undefined {
    this.take('?'); // Lazy: the same strings match.
    return this.ahead('?') ? undefined : [runes];
  }

  private group(depth: number): Part[] | undefined {
    if (!this.take('?:')) this.groups++;
    const branches = depth < DEPTH_MAX ? this.pattern(depth + 1) : undefined;
    if (branches === undefined || !this.take(')')) return undefined;
    const choices = branches.map(asLiterals);
    if (choices.every((choice) => choice !== undefined)) return this.optional(choices.flat());
    return branches.length > 1 || this.ahead('?') ? undefined : branches[0];
  }

  private optional(choice: string[]): Part[] | undefined {
    if (!this.take('?')) return [choice];
    return this.ahead('?') ? undefined : [[...choice, '']];
  }

  private literal(): string | undefined {
    const escaped = this.take('\\');
    const rune = String.fromCodePoint(this.text.codePointAt(this.at) ?? 0);
    const plain = escaped ? /^[!-/:-@[-`{-~]$/.test(rune) : !/^[.*+?()|[\]{}^$]$/.test(rune);
    if (this.atEnd || !plain) return undefined;
    this.at += rune.length;
    return rune;
  }

  private ahead(token: string): boolean {
    return this.text.startsWith(token, this.at);
  }

  private take(token: string): boolean {
    if (!this.ahead(token)) return false;
    this.at += token.length;
    return true;
  }
}

/** Adds a part, joined with the one before it if possible. False if that grows too large or cannot be said. */
function append(parts: Part[], part: Part): boolean {
  const last = parts.at(-1);
  if (typeof part === 'object' && part.every((literal) => literal === '')) return true;
  if (typeof last === 'number' && typeof part === 'number') {
    if (last + part > 1) return false;
    parts[parts.length - 1] = last === 1 ? 1 : part;
  } else if (typeof last === 'object' && typeof part === 'object') {
    if (last.length * part.length > PRODUCT_MAX && last.length > 1 && part.length > 1) return false;
    parts[parts.length - 1] = product(last, part);
  } else {
    parts.push(part);
  }
  return true;
}

function product(heads: readonly string[], tails: readonly string[]): string[] {
  return heads.flatMap((head) => tails.map((tail) => head + tail));
}

function asLiterals(parts: readonly Part[]): readonly string[] | undefined {
  if (parts.length === 0) return [''];
  const [only] = parts;
  return parts.length === 1 && typeof only === 'object' ? only : undefined;
}

/** Adds every combination of the branch's choices as one glob. False if there are too many, or a middle may be empty. */
function pushGlobs(globs: Glob[], parts: readonly Part[]): boolean {
  const gaps = parts.filter((part) => typeof part === 'number');
  const choices = parts.filter((part) => typeof part === 'object');
  if (typeof parts[0] === 'number') choices.unshift(['']);
  if (typeof parts.at(-1) === 'number') choices.push(['']);
  if (choices.slice(1, -1).some((middle) => middle.includes(''))) return false;
  const combinations = choices.reduce((count, choice) => count * choice.length, globs.length + 1);
  if (combinations > GLOBS_MAX) return false;
  let rows: string[][] = [[]];
  for (const choice of choices) rows = rows.flatMap((row) => choice.map((literal) => [...row, literal]));
  for (const literals of rows) globs.push({ literals, gaps });
  return true;
}
