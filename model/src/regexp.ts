// User regexps: RE2 syntax and guarantees, anchored at both ends, `.` matches newlines, as Prometheus has them.
//
// Most patterns never reach the engine: pattern-shape.ts turns literals and globs into string operations. For the rest
// verdicts and captures are remembered per value, since captures cost 35 times a JavaScript regexp's.
//
// Never a JavaScript RegExp: it backtracks without bound, and differs from RE2 in 64 of 142 patterns tried.

import { RE2JS, RE2JSException, RE2JSSyntaxException } from 're2js';
import { expandTemplate } from './expand.ts';
import { matchGlob } from './glob.ts';
import { type PatternShape, parseShape } from './pattern-shape.ts';
import { ValueCache } from './value-cache.ts';

const PATTERN_CHARS_MAX = 64 * 1024;
// A match takes up to program size × value length steps; compiling takes memory for every copy of a repeated part.
const PROGRAM_SIZE_MAX = 2 * PATTERN_CHARS_MAX;
const UNROLLED_CHARS_MAX = 1024 * 1024;

/** A pattern that RE2 refuses. The message is Go's, such as "error parsing regexp: missing closing ): `(`". */
export class PatternError extends SyntaxError {
  override readonly name = 'PatternError';
  readonly pattern: string;

  constructor(pattern: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.pattern = pattern;
  }
}

/** The groups of a match; [0] is the whole value. A group that took no part is undefined. */
export type Captures = readonly (string | undefined)[];

export class AnchoredRegexp {
  readonly pattern: string;
  /** All values that match, if the pattern is literals only; else empty. */
  readonly setMatches: readonly string[];
  /** What every matching value begins with; may be ''. */
  readonly prefix: string;

  private readonly shape: PatternShape | undefined;
  private readonly exact: ReadonlySet<string>;
  private engine: RE2JS | undefined;
  private readonly around: { prefix: string; suffix: string } | undefined;
  private readonly verdicts = new ValueCache((value) => this.compiled().testExact(value));
  private readonly captures = new ValueCache((value) => captureByEngine(this.compiled(), value));

  /** Throws PatternError. */
  constructor(pattern: string) {
    if (pattern.length > PATTERN_CHARS_MAX) throw tooLarge(pattern);
    this.pattern = pattern;
    this.shape = parseShape(pattern);
    this.exact = new Set(this.shape?.exact);
    this.setMatches = this.shape?.globs.length === 0 ? this.shape.exact : [];
    this.around = parseAround(pattern);
    this.prefix = this.shape === undefined ? enginePrefix(this.compiled()) : shapePrefix(this.shape);
  }

  /** Whether the whole value matches. */
  test(value: string): boolean {
    if (this.shape === undefined) return this.testByEngine(value);
    if (this.exact.has(value)) return true;
    for (const glob of this.shape.globs) if (matchGlob(glob, value)) return true;
    return false;
  }

  /** The groups if the whole value matches. */
  capture(value: string): Captures | undefined {
    if (this.shape !== undefined && !this.test(value)) return undefined;
    if (this.shape?.groups === 0) return [value];
    if (this.around === undefined) return this.captures.get(value);
    const { prefix, suffix } = this.around;
    return [value, value.slice(prefix.length, value.length - suffix.length)];
  }

  /** Fills a template such as `$1-${name}` from a match, by the rules of Go's Regexp.Expand. */
  expand(template: string, match: Captures): string {
    if (!template.includes('$')) return template;
    if (template === '$1' || template === '${1}') return match[1] ?? '';
    // A shape has no named groups, so its engine need not be built for this.
    return expandTemplate(template, match, this.shape === undefined ? this.compiled().namedGroups() : {});
  }

  toString(): string {
    return this.pattern;
  }

  private testByEngine(value: string): boolean {
    return value.startsWith(this.prefix) && this.verdicts.get(value);
  }

  private compiled(): RE2JS {
    this.engine ??= compile(this.pattern);
    return this.engine;
  }
}

function captureByEngine(engine: RE2JS, value: string): Captures | undefined {
  const matcher = engine.matcher(value);
  if (!matcher.matches()) return undefined;
  return Array.from({ length: matcher.groupCount() + 1 }, (_, i) => matcher.group(i) ?? undefined);
}

/** The literals around the only group of patterns such as `pod_(.+)`: most of relabeling's captures are of this kind. */
function parseAround(pattern: string): { prefix: string; suffix: string } | undefined {
  const parts = /^([^\\.+*?()|[\]{}^$]*)\(\.[*+]\)([^\\.+*?()|[\]{}^$]*)$/.exec(pattern);
  return parts === null ? undefined : { prefix: parts[1]!, suffix: parts[2]! };
}

function compile(pattern: string): RE2JS {
  if (pattern.length * repeatFactor(pattern) > UNROLLED_CHARS_MAX) throw tooLarge(pattern);
  const engine = compileUnlimited(pattern);
  if (engine.programSize() > PROGRAM_SIZE_MAX) throw tooLarge(pattern);
  return engine;
}

function compileUnlimited(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern, RE2JS.DOTALL);
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    throw new PatternError(pattern, errorText(error, pattern), { cause: error });
  }
}

function tooLarge(pattern: string): PatternError {
  return new PatternError(
    pattern,
    `error parsing regexp: expression too large: \`${pattern.slice(0, 100)}\``,
  );
}

/** How often counted repeats may copy a part, at most: RE2 allows nested counts up to 1000 in all. */
function repeatFactor(pattern: string): number {
  let factor = 1;
  for (const [, low, high] of pattern.matchAll(/\{(\d{1,4})(?:,(\d{0,4}))?\}/g)) {
    factor *= Math.max(Number(low), Number(high ?? 0), 1);
    if (factor > 1000) return 1000;
  }
  return factor;
}

/** RE2JS passes flags by writing `(?s)` in front of the pattern; the user did not write that. */
function errorText(error: RE2JSException, pattern: string): string {
  if (!(error instanceof RE2JSSyntaxException)) return error.message;
  const description = error.getDescription();
  const culprit = error.getPattern() ?? (description.startsWith('trailing backslash') ? '' : pattern);
  return `error parsing regexp: ${description}: \`${culprit.replace(/^\(\?s\)/, '')}\``;
}

/** The compiled program's literal prefix; RE2JS keeps it for its own searches. */
function enginePrefix(engine: RE2JS): string {
  const prefix: unknown = engine.re2().prefix;
  return typeof prefix === 'string' ? prefix : '';
}

function shapePrefix(shape: PatternShape): string {
  const heads = [...shape.exact, ...shape.globs.map((glob) => glob.literals[0]!)];
  const common = heads.reduce(commonPrefix, heads[0] ?? '');
  return common.replace(/[\ud800-\udbff]$/, ''); // Half a code point has no UTF-8 form.
}

function commonPrefix(a: string, b: string): string {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return a.slice(0, length);
}
