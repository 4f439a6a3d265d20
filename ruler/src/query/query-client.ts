// The ruler's view of the merged data: instant queries to the queriers, whole answers only.

import { errorText } from '@flotilla/chassis';
import { type FloatHistogram, parseGoFloat, Unavailable } from '@flotilla/model';
import { HISTOGRAMS_EXACT, HISTOGRAMS_PARAM, parseExactHistogram } from '@flotilla/wire';

export interface QuerySample {
  readonly labels: Readonly<Record<string, string>>;
  /** 0 for a native histogram, as alerts take it. */
  readonly value: number;
  readonly histogram?: FloatHistogram;
}

export interface QueryAnswer {
  readonly samples: readonly QuerySample[];
}

/** The querier understood and refused: asking another one would not help. */
export class QueryRefused extends Error {
  override readonly name = 'QueryRefused';
}

interface Envelope {
  readonly status: string;
  readonly error?: string;
  readonly errorType?: string;
  readonly data?: {
    readonly resultType: string;
    readonly result: readonly ApiSample[] | readonly [number, string];
  };
}

interface ApiSample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value?: readonly [number, string];
  /** In place of a value. */
  readonly exactHistogram?: readonly [number, unknown];
}

export class QueryClient {
  readonly #urls: readonly string[];
  readonly #token: () => Record<string, string>;

  constructor(urls: readonly string[], headers: () => Record<string, string>) {
    this.#urls = urls;
    this.#token = headers;
  }

  /**
   * Evaluates at a time, with the querier's lookback unless another is given. Asks the queriers in turn until one answers whole.
   * Throws QueryRefused for a bad query, Unavailable when no querier could give a whole answer.
   */
  async instant(expr: string, timeMs: number, timeoutMs: number, lookbackMs = 0): Promise<QueryAnswer> {
    const failures: string[] = [];
    const params = new URLSearchParams({
      query: expr,
      time: (timeMs / 1000).toFixed(3),
      partial_response: 'false',
      [HISTOGRAMS_PARAM]: HISTOGRAMS_EXACT,
    });
    if (lookbackMs > 0) params.set('lookback_delta', `${lookbackMs / 1000}`);
    for (const url of this.#urls) {
      try {
        return await this.#ask(url, params, timeoutMs);
      } catch (error) {
        if (error instanceof QueryRefused) throw error;
        failures.push(`${url}: ${errorText(error)}`);
      }
    }
    throw new Unavailable(failures.length === 0 ? 'no querier is configured' : failures.join('; '));
  }

  async #ask(url: string, params: URLSearchParams, timeoutMs: number): Promise<QueryAnswer> {
    const response = await fetch(`${url}/api/v1/query`, {
      method: 'POST',
      headers: { ...this.#token(), 'content-type': 'application/x-www-form-urlencoded' },
      body: params,
      signal: AbortSignal.timeout(timeoutMs),
    });
    const envelope = (await response.json()) as Envelope;
    if (envelope.status === 'success' && envelope.data !== undefined)
      return { samples: toSamples(envelope.data) };
    const reason = envelope.error ?? `status ${response.status}`;
    if (envelope.errorType === 'bad_data' || envelope.errorType === 'execution')
      throw new QueryRefused(reason);
    throw new Unavailable(reason);
  }
}

/** A scalar is one sample without labels, as Prometheus's rules take it. */
function toSamples({ resultType, result }: NonNullable<Envelope['data']>): QuerySample[] {
  if (resultType === 'vector') {
    return (result as readonly ApiSample[]).map(({ metric, value, exactHistogram }) =>
      value === undefined
        ? { labels: metric, value: 0, histogram: histogramOf(exactHistogram?.[1]) }
        : { labels: metric, value: numberOf(value[1]) },
    );
  }
  if (resultType === 'scalar')
    return [{ labels: {}, value: numberOf((result as readonly [number, string])[1]) }];
  throw new QueryRefused('rule result is not a vector or scalar');
}

/** A querier of another version may not know exact ones: that passes. */
function histogramOf(json: unknown): FloatHistogram {
  try {
    return parseExactHistogram(json);
  } catch (error) {
    const cause = { cause: error };
    throw new Unavailable(`querier: no exact histogram: ${errorText(error)}`, cause);
  }
}

function numberOf(text: string): number {
  const value = parseGoFloat(text);
  if (value === undefined) throw new Unavailable(`querier: value ${JSON.stringify(text)}, want a number`);
  return value;
}
