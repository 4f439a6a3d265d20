// Parameters of the HTTP API, parsed as Prometheus parses them, with its error texts. GET query and POST form alike.

import { ApiError } from '@flotilla/chassis';
import type { Request } from '@flotilla/chassis';
import { goQuote, parseDuration } from '@flotilla/model';
import type { Matcher } from '@flotilla/model';
import type { Expr, ParserOptions } from '@flotilla/promql';
import { invalid, parseMatcherSets, parseQuery } from '../evaluation/query-texts.ts';

/** Any time: as far as a number can count milliseconds. */
const maxTimeMs = 2 ** 53 - 1;
const minTimeMs = -maxTimeMs;

/** Query string and form body, the body first, as Go's ParseForm merges them. */
export class Params {
  readonly #values: URLSearchParams;

  constructor(request: Request) {
    const [, query = ''] = request.originalUrl.split('?', 2);
    this.#values = new URLSearchParams();
    for (const [name, value] of Object.entries((request.body ?? {}) as Record<string, string | string[]>)) {
      for (const one of Array.isArray(value) ? value : [value]) this.#values.append(name, one);
    }
    for (const [name, value] of new URLSearchParams(query)) this.#values.append(name, value);
  }

  get(name: string): string {
    return this.#values.get(name) ?? '';
  }

  all(name: string): string[] {
    return [...this.#values.getAll(`${name}[]`), ...this.#values.getAll(name)];
  }

  /** Milliseconds of a time parameter; `fallback` when it is absent. */
  time(name: string, fallback: number): number {
    const text = this.get(name);
    if (text === '') return fallback;
    const timeMs = tryParseTime(text);
    if (timeMs === undefined) {
      const reason = `cannot parse "${text}" to a valid timestamp`;
      throw invalid(name, `invalid time value for '${name}': ${reason}`);
    }
    return timeMs;
  }

  /** Milliseconds of a time parameter that must be there. */
  requiredTime(name: string): number {
    const text = this.get(name);
    const timeMs = tryParseTime(text);
    if (timeMs === undefined) throw invalid(name, `cannot parse "${text}" to a valid timestamp`);
    return timeMs;
  }

  /** Start and end of the metadata endpoints, which default to all time. */
  range(): { minTimeMs: number; maxTimeMs: number } {
    const range = { minTimeMs: this.time('start', minTimeMs), maxTimeMs: this.time('end', maxTimeMs) };
    if (range.maxTimeMs < range.minTimeMs)
      throw new ApiError('bad_data', 'end timestamp must not be before start timestamp');
    return range;
  }

  /** Milliseconds of a duration parameter, undefined when absent. */
  duration(name: string): number | undefined {
    const text = this.get(name);
    if (text === '') return undefined;
    const durationMs = tryParseDuration(text);
    if (durationMs === undefined) throw invalid(name, `cannot parse "${text}" to a valid duration`);
    return durationMs;
  }

  /** 0: no limit. */
  limit(name = 'limit'): number {
    const text = this.get(name);
    if (text === '') return 0;
    if (!/^[+-]?\d+$/.test(text))
      throw invalid(name, `strconv.Atoi: parsing ${goQuote(text)}: invalid syntax`);
    if (Number(text) < 0) throw invalid(name, 'limit must be non-negative');
    return Number(text);
  }

  boolean(name: string, fallback: boolean): boolean {
    const text = this.get(name);
    if (text === '') return fallback;
    if (/^(?:1|t|true)$/i.test(text)) return true;
    if (/^(?:0|f|false)$/i.test(text)) return false;
    throw invalid(name, `cannot parse "${text}" to a boolean`);
  }

  /** The query; errors name the parameter, but for the endpoint whose errors do not in Prometheus. */
  expr(options: ParserOptions, named = true): { text: string; expr: Expr } {
    return parseQuery(this.get('query'), options, named);
  }

  /** Selectors of match[]; each set is one alternative. Errors name the parameter where Prometheus's do. */
  matcherSets(named = false): (readonly Matcher[])[] {
    return parseMatcherSets(this.all('match'), named);
  }
}

/** Seconds as a float, or RFC 3339. */
export function tryParseTime(text: string): number | undefined {
  if (/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text)) return Math.round(Number(text) * 1000);
  if (/^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/.test(text)) {
    const timeMs = Date.parse(text.toUpperCase());
    return Number.isNaN(timeMs) ? undefined : timeMs;
  }
  return undefined;
}

/** Seconds as a float, or Prometheus's duration. */
export function tryParseDuration(text: string): number | undefined {
  if (/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text)) {
    const durationMs = Number(text) * 1000;
    return Math.abs(durationMs) < 9e15 ? durationMs : undefined;
  }
  try {
    return parseDuration(text);
  } catch {
    return undefined;
  }
}
