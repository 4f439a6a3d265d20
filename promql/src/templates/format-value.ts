// Go's fmt for the values that alert templates have: how a value prints, and printf's verbs.

import { formatFloat, formatGoG, goQuote } from '@flotilla/model';

/** A Go float64; plain JavaScript numbers are Go ints. */
export class Float {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

export type Value = string | boolean | number | Float | undefined | readonly Value[] | ValueMap;
/** A Go map or struct; a missing key is the zero value of its element, as with `missingkey=zero`. */
export class ValueMap {
  readonly entries: ReadonlyMap<string, Value>;
  readonly zero: Value;
  constructor(entries: ReadonlyMap<string, Value>, zero: Value) {
    this.entries = entries;
    this.zero = zero;
  }
}

/** As fmt.Print does (%v). */
export function formatValue(value: Value): string {
  if (value === undefined) return '<no value>';
  if (value instanceof Float) return formatGoFloat(value.value);
  if (value instanceof ValueMap) {
    const pairs = [...value.entries]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, one]) => `${key}:${formatValue(one)}`);
    return `map[${pairs.join(' ')}]`;
  }
  if (Array.isArray(value)) return `[${(value as readonly Value[]).map(formatValue).join(' ')}]`;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** %v of a float64: the shortest %g, with an exponent from 1e21 on. */
function formatGoFloat(value: number): string {
  const magnitude = Math.abs(value);
  if (value === 0 || !Number.isFinite(value) || (magnitude >= 1e-4 && magnitude < 1e21))
    return formatFloat(value);
  return formatGoG(value);
}

/** Sprintf for the verbs v s q d f g e t x c %, with flags, width and precision. Wrong verbs print Go's `%!d(string=x)`. */
export function sprintf(format: string, args: readonly Value[]): string {
  let next = 0;
  const text = format.replaceAll(
    /%([-+ #0]*)(\d+)?(?:\.(\d*))?([a-zA-Z%])/g,
    (_, flags: string, width: string | undefined, precision: string | undefined, verb: string) => {
      if (verb === '%') return '%';
      if (next >= args.length) return `%!${verb}(MISSING)`;
      const digits = precision === undefined ? undefined : Number(precision || '0');
      return pad(formatVerb(verb, flags, digits, args[next++]), flags, Math.min(Number(width ?? 0), 1000));
    },
  );
  const extra = args.slice(next).map((arg) => `${typeName(arg)}=${formatValue(arg)}`);
  return extra.length === 0 ? text : `${text}%!(EXTRA ${extra.join(', ')})`;
}

function pad(text: string, flags: string, width: number): string {
  if (flags.includes('-')) return text.padEnd(width);
  if (flags.includes('0') && /^[+-]?\d/.test(text)) {
    const sign = /^[+-]/.test(text) ? text[0]! : '';
    return sign + text.slice(sign.length).padStart(width - sign.length, '0');
  }
  return text.padStart(width);
}

function formatVerb(verb: string, flags: string, digits: number | undefined, arg: Value): string {
  const wrong = `%!${verb}(${typeName(arg)}=${formatValue(arg)})`;
  if (verb === 'v') return formatValue(arg);
  if (verb === 's')
    return typeof arg === 'string'
      ? arg.slice(0, digits)
      : arg instanceof Float || typeof arg === 'number' || typeof arg === 'boolean'
        ? wrong
        : formatValue(arg);
  if (verb === 'q') return typeof arg === 'string' ? goQuote(arg) : wrong;
  if (verb === 't') return typeof arg === 'boolean' ? String(arg) : wrong;
  if (arg instanceof Float) return formatFloatVerb(verb, flags, digits, arg.value) ?? wrong;
  if (typeof arg === 'number') return formatIntVerb(verb, flags, arg) ?? wrong;
  if (typeof arg === 'string' && verb === 'x') return Buffer.from(arg).toString('hex');
  return wrong;
}

function formatFloatVerb(
  verb: string,
  flags: string,
  digits: number | undefined,
  value: number,
): string | undefined {
  const sign = flags.includes('+') && value >= 0 ? '+' : flags.includes(' ') && value >= 0 ? ' ' : '';
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
  switch (verb) {
    case 'f':
    case 'F':
      return sign + halfEven(value.toFixed(100), value.toFixed(Math.min(digits ?? 6, 99)));
    case 'e':
      return sign + goExponent(exponential(value, digits ?? 6));
    case 'g':
      return sign + (digits === undefined ? formatGoFloat(value) : precise(value, digits));
    default:
      return undefined;
  }
}

/** toExponential with Go's rounding of ties. */
function exponential(value: number, digits: number): string {
  const [exact] = value.toExponential(100).split('e') as [string];
  const [mantissa, exponent] = value.toExponential(Math.min(digits, 99)).split('e') as [string, string];
  return `${halfEven(exact, mantissa)}e${exponent}`;
}

/** Go rounds an exact tie to the even digit, JavaScript away from zero. `exact` has all digits of what `rounded` rounds. */
function halfEven(exact: string, rounded: string): string {
  const cut = rounded.includes('.') ? rounded.length : rounded.length + 1;
  if (!/^50*$/.test(exact.slice(cut))) return rounded;
  const down = exact.slice(0, rounded.length);
  return /[02468]$/.test(down) ? down : rounded;
}

/** %.3g: shorter of f and e form, without trailing zeros. */
function precise(value: number, digits: number): string {
  if (value === 0) return '0';
  const [mantissa, exponent] = exponential(value, Math.max(digits, 1) - 1).split('e') as [string, string];
  const power = Number(exponent);
  if (power < -4 || power >= Math.max(digits, 1)) return goExponent(`${trimZeros(mantissa)}e${exponent}`);
  return trimZeros(
    halfEven(value.toFixed(100), value.toFixed(Math.min(99, Math.max(0, Math.max(digits, 1) - 1 - power)))),
  );
}

function trimZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

/** Go writes at least two digits of exponent. */
function goExponent(text: string): string {
  return text.replace(/e([+-])(\d)$/, 'e$10$2');
}

function formatIntVerb(verb: string, flags: string, value: number): string | undefined {
  const sign = flags.includes('+') && value >= 0 ? '+' : '';
  switch (verb) {
    case 'd':
      return sign + String(value);
    case 'x':
      return value.toString(16);
    case 'c':
      return String.fromCodePoint(value);
    default:
      return undefined;
  }
}

export function typeName(value: Value): string {
  if (value === undefined) return '<nil>';
  if (value instanceof Float) return 'float64';
  if (value instanceof ValueMap) return 'map[string]string';
  if (typeof value === 'number') return 'int';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'string' ? 'string' : '[]interface {}';
}
