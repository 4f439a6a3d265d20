// Lets callers pass that show a ServiceAccount's token, which the API server vouches for.
//
// Verdicts are cached by the token's hash. While the API server is away, callers that it has vouched for lately go on, and do
// not wait for it: heartbeats must not stop because a third party is down. Unknown tokens cannot push known ones out.

import { errorText } from '@flotilla/chassis';
import type { Logger, RequestHandler } from '@flotilla/chassis';
import { createHash } from 'node:crypto';
import type { ApiClient } from './api-client.ts';
import { resourcePath, RESOURCES } from './resources.ts';

export interface ServiceAccountOptions {
  readonly client: ApiClient;
  /** The token must be made for it. */
  readonly audience: string;
  /** `system:serviceaccount:<namespace>:<name>` of those that may pass. */
  readonly users: ReadonlySet<string>;
  readonly log: Logger;
  /** Monotonic clock in ms. */
  readonly now?: () => number;
}

type Verdict = 'passes' | 'unknown' | 'forbidden';

interface Reviewed {
  readonly verdict: Verdict;
  readonly atMs: number;
}

interface TokenReview {
  readonly status?: {
    readonly authenticated?: boolean;
    readonly audiences?: readonly string[];
    readonly user?: { readonly username?: string };
  };
}

const passedMs = 60_000;
const refusedMs = 5000;
/** How long a verdict of an API server that does not answer any more holds. */
const outageMs = 10 * 60_000;
/** After a review that failed, callers known to be good are not made to wait for the next. */
const retryMs = 5000;
const reviewTimeoutMs = 5000;
const passedMax = 10_000;
const refusedMax = 1000;
const openMax = 64;
const tokenLengthMax = 16_384;

/** 401 without a token that the API server knows, 403 for those of others, 503 when it cannot be asked. */
export function requireServiceAccount(options: ServiceAccountOptions): RequestHandler {
  const reviews = new Reviews(options);
  return (request, response, next) => {
    const token = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
    const answer = (status: number, text: string): void =>
      void response.status(status).type('text/plain').send(`${text}\n`);
    if (token === undefined || token.length > tokenLengthMax) {
      response.setHeader('WWW-Authenticate', 'Bearer');
      answer(401, 'Unauthorized');
      return;
    }
    reviews.of(token).then(
      (verdict) => {
        if (verdict === 'passes') next();
        else if (verdict === 'unknown') answer(401, 'Unauthorized');
        else answer(403, 'Forbidden');
      },
      (error: unknown) => {
        options.log.warn('token not reviewed', { err: errorText(error) });
        answer(503, 'token not reviewed: the API server cannot be asked');
      },
    );
  };
}

class Reviews {
  readonly #options: ServiceAccountOptions;
  readonly #now: () => number;
  readonly #passed = new Map<string, Reviewed>();
  readonly #refused = new Map<string, Reviewed>();
  readonly #open = new Map<string, Promise<Verdict>>();
  #failedAtMs = -Infinity;

  constructor(options: ServiceAccountOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  async of(token: string): Promise<Verdict> {
    const key = createHash('sha256').update(token).digest('base64');
    const nowMs = this.#now();
    const known = this.#passed.get(key) ?? this.#refused.get(key);
    const ageMs = known === undefined ? Infinity : nowMs - known.atMs;
    if (known !== undefined && ageMs < (known.verdict === 'passes' ? passedMs : refusedMs))
      return known.verdict;
    const isTrusted = known?.verdict === 'passes' && ageMs < outageMs;
    if (isTrusted && nowMs - this.#failedAtMs < retryMs) return 'passes';
    try {
      return await this.#review(key, token);
    } catch (error) {
      if (isTrusted) return 'passes';
      throw error;
    }
  }

  /** One request for a token at a time, and not many at all: anybody can send tokens. */
  #review(key: string, token: string): Promise<Verdict> {
    const open = this.#open.get(key);
    if (open !== undefined) return open;
    if (this.#open.size >= openMax)
      return Promise.reject(new Error(`${openMax} reviews are open, want fewer`));
    const review = this.#ask(token)
      .then((verdict) => this.#remember(key, verdict))
      .finally(() => this.#open.delete(key));
    this.#open.set(key, review);
    return review;
  }

  #remember(key: string, verdict: Verdict): Verdict {
    this.#passed.delete(key);
    this.#refused.delete(key);
    const isGood = verdict === 'passes';
    const cache = isGood ? this.#passed : this.#refused;
    cache.set(key, { verdict, atMs: this.#now() });
    const [oldest] = cache.keys();
    if (cache.size > (isGood ? passedMax : refusedMax) && oldest !== undefined) cache.delete(oldest);
    return verdict;
  }

  async #ask(token: string): Promise<Verdict> {
    const { audience, users } = this.#options;
    const { authenticated, audiences, user } = (await this.#send(token, audience)).status ?? {};
    if (authenticated !== true || audiences?.includes(audience) !== true) return 'unknown';
    return users.has(user?.username ?? '') ? 'passes' : 'forbidden';
  }

  async #send(token: string, audience: string): Promise<TokenReview> {
    const body = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      spec: { token, audiences: [audience] },
    };
    const limits = { tries: 2, timeoutMs: reviewTimeoutMs };
    try {
      return await this.#options.client.create<TokenReview>(
        resourcePath(RESOURCES.TokenReview),
        body,
        limits,
      );
    } catch (error) {
      this.#failedAtMs = this.#now();
      throw error;
    }
  }
}
