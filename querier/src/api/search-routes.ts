// /api/v1/search/…: names for who types, behind --enable-feature=search-api, with Prometheus's parameters and error texts.

import { ApiError, Router } from '@flotilla/chassis';
import type { Request, Response } from '@flotilla/chassis';
import { goQuote, METRIC_NAME } from '@flotilla/model';
import type { SearchJob } from '../evaluation/jobs.ts';
import { answerJob } from './answer.ts';
import { Params, tryParseTime } from './params.ts';
import { both } from './query-routes.ts';
import type { QueryService } from './query-service.ts';

const defaultLimit = 100;
const termsMax = 32;
/** Of a term, in UTF-16 units: likeness takes time by the product of two lengths. */
const termLengthMax = 1024;
const rangeMs = 3_600_000;

/** `maxLimit`: of names in an answer; 0 for no limit. */
export function searchRoutes(service: QueryService, isEnabled: boolean, maxLimit: number): Router {
  const router = Router();
  const search = (
    endpoint: string,
    more: (params: Params) => Pick<SearchJob, 'label' | 'field' | 'withMetadata'>,
  ): void => {
    both(router, `/search/${endpoint}`, async (request: Request, response: Response) => {
      if (!isEnabled) throw new ApiError('unavailable', 'search API disabled');
      const params = new Params(request);
      const job = { ...searchJob(params, endpoint, maxLimit), ...more(params) };
      await answerJob(service, response, service.timeoutMs, job);
    });
  };
  search('metric_names', (params) => ({
    label: METRIC_NAME,
    field: 'name',
    withMetadata: boolean(params, 'include_metadata', false),
  }));
  search('label_names', () => ({ label: undefined, field: 'name', withMetadata: false }));
  search('label_values', (params) => {
    const label = params.get('label');
    if (label === '') refuse('missing required parameter "label"');
    return { label, field: 'value', withMetadata: false };
  });
  return router;
}

function refuse(text: string): never {
  throw new ApiError('bad_data', text);
}

/** Checked in Prometheus's order. */
function searchJob(
  params: Params,
  endpoint: string,
  maxLimit: number,
): Omit<SearchJob, 'label' | 'field' | 'withMetadata'> {
  const nowMs = Date.now();
  const minTimeMs = time(params, 'start', nowMs - rangeMs);
  const maxTimeMs = time(params, 'end', nowMs);
  if (maxTimeMs < minTimeMs) refuse('end timestamp must not be before start timestamp');
  params.matcherSets();
  const selectors = params.all('match');
  const terms = params.all('search');
  if (terms.length > termsMax) refuse(`too many search[] terms: got ${terms.length}, maximum is ${termsMax}`);
  if (terms.some((term) => term.length > termLengthMax))
    refuse(`search[] term too long: maximum is ${termLengthMax} characters`);
  const fuzzy = fuzziness(params);
  const isCaseSensitive = boolean(params, 'case_sensitive', true);
  const withScore = boolean(params, 'include_score', false);
  const order = orderOf(params, terms.length > 0);
  const limits = limitsOf(params, maxLimit);
  const sortBy = params.get('sort_by');
  if (!['', 'alpha', 'score'].includes(sortBy))
    refuse(`invalid sort_by ${goQuote(sortBy)} for ${endpoint}: must be "alpha" or "score"`);
  return {
    kind: 'search',
    ...{ minTimeMs, maxTimeMs, selectors, terms, isCaseSensitive, withScore, order },
    ...fuzzy,
    ...limits,
    allowPartial: params.boolean('partial_response', true),
  };
}

function time(params: Params, name: string, fallbackMs: number): number {
  const text = params.get(name);
  if (text === '') return fallbackMs;
  return (
    tryParseTime(text) ??
    refuse(`invalid time value for '${name}': cannot parse ${goQuote(text)} to a valid timestamp`)
  );
}

function fuzziness(params: Params): Pick<SearchJob, 'threshold' | 'algorithm'> {
  const threshold = params.get('fuzz_threshold');
  const percent = threshold === '' ? 0 : wholeNumber(threshold);
  if (!(percent >= 0 && percent <= 100))
    refuse(`invalid fuzz_threshold ${goQuote(threshold)}: must be 0-100`);
  const algorithm = params.get('fuzz_alg') || 'subsequence';
  if (algorithm !== 'subsequence' && algorithm !== 'jarowinkler')
    refuse(`unsupported fuzz_alg ${goQuote(algorithm)}: must be one of [subsequence jarowinkler]`);
  return { threshold: percent / 100, algorithm };
}

function orderOf(params: Params, hasTerms: boolean): SearchJob['order'] {
  const [sortBy, sortDir] = [params.get('sort_by'), params.get('sort_dir')];
  if (sortDir !== '' && sortBy === '') refuse('sort_dir is only valid when sort_by is set');
  if (sortDir !== '' && sortBy === 'score') refuse('sort_dir is not supported for sort_by=score');
  if (!['', 'asc', 'dsc'].includes(sortDir))
    refuse(`invalid sort_dir ${goQuote(sortDir)}: must be "asc" or "dsc"`);
  if (sortBy === 'score' && !hasTerms) refuse('sort_by=score requires search[] to be set');
  if (sortBy === 'score') return 'score';
  return sortDir === 'dsc' && sortBy === 'alpha' ? 'descending' : 'ascending';
}

function limitsOf(params: Params, maxLimit: number): Pick<SearchJob, 'limit' | 'batchSize'> {
  const most = maxLimit === 0 ? Infinity : maxLimit;
  const positive = (name: string, fallback: number): number => {
    const text = params.get(name);
    if (text === '') return fallback;
    const number = wholeNumber(text);
    return number > 0 ? number : refuse(`invalid ${name} ${goQuote(text)}: must be a positive integer`);
  };
  const limit = positive('limit', Math.min(defaultLimit, most));
  if (limit > most)
    refuse(`limit ${limit} exceeds the configured maximum (${most}, see --web.search.max-limit)`);
  return { limit, batchSize: positive('batch_size', defaultLimit) };
}

/** NaN for what Go's Atoi refuses. */
function wholeNumber(text: string): number {
  const number = /^[+-]?\d+$/.test(text) ? Number(text) : NaN;
  return Math.abs(number) < 2 ** 63 ? number : NaN;
}

/** What Go's ParseBool takes. */
function boolean(params: Params, name: string, fallback: boolean): boolean {
  const text = params.get(name);
  if (text === '') return fallback;
  if (/^(?:1|t|T|TRUE|true|True)$/.test(text)) return true;
  if (/^(?:0|f|F|FALSE|false|False)$/.test(text)) return false;
  refuse(`invalid ${name} ${goQuote(text)}: must be boolean`);
}
