// Lets callers pass that show a ServiceAccount's token, which the API server vouches for.
//
// Verdicts are cached by the token's hash. While the API server is away, callers that it has vouched for lately go on.

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
    readonly error?: string;
  };
}

const passedMs = 60_000;
const refusedMs = 5000;
/** How long a verdict of an API server that does not answer any more holds. */
const outageMs = 10 * 60_000;
const reviewedMax = 10_000;
const tokenLengthMax = 16_384;

/** 401 without a token that the API server knows, 403 for those of others, 503 when it cannot be asked. */
export function requireServiceAccount(options: ServiceAccountOptions): RequestHandler {
  const reviews = new Reviews(options);
  return (request, response, next) => {
    const token = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
    if (token === undefined || token.length > tokenLengthMax) {
      response.status(401).setHeader('WWW-Authenticate', 'Bearer').type('text/plain').send('Unauthorized\n');
      return;
    }
    reviews.of(token).then(
      (verdict) => {
        if (verdict === 'passes') next();
        else if (verdict === 'unknown') response.status(401).type('text/plain').send('Unauthorized\n');
        else response.status(403).type('text/plain').send('Forbidden\n');
      },
      (error: unknown) => {
        options.log.warn('token not reviewed', { err: errorText(error) });
        response.status(503).type('text/plain').send('token not reviewed: the API server cannot be asked\n');
      },
    );
  };
}

class Reviews {
  readonly #options: ServiceAccountOptions;
  readonly #reviewed = new Map<string, Reviewed>();
  readonly #open = new Map<string, Promise<Verdict>>();

  constructor(options: ServiceAccountOptions) {
    this.#options = options;
  }

  async of(token: string): Promise<Verdict> {
    const key = createHash('sha256').update(token).digest('base64');
    const known = this.#reviewed.get(key);
    const ageMs = known === undefined ? Infinity : performance.now() - known.atMs;
    if (known !== undefined && ageMs < (known.verdict === 'passes' ? passedMs : refusedMs)) return known.verdict;
    try {
      return await this.#review(key, token);
    } catch (error) {
      if (known?.verdict === 'passes' && ageMs < outageMs) return 'passes';
      throw error;
    }
  }

  /** One request for a token at a time. */
  #review(key: string, token: string): Promise<Verdict> {
    const open = this.#open.get(key);
    if (open !== undefined) return open;
    const review = this.#ask(token)
      .then((verdict) => {
        this.#remember(key, verdict);
        return verdict;
      })
      .finally(() => this.#open.delete(key));
    this.#open.set(key, review);
    return review;
  }

  #remember(key: string, verdict: Verdict): void {
    this.#reviewed.delete(key);
    this.#reviewed.set(key, { verdict, atMs: performance.now() });
    const [oldest] = this.#reviewed.keys();
    if (this.#reviewed.size > reviewedMax && oldest !== undefined) this.#reviewed.delete(oldest);
  }

  async #ask(token: string): Promise<Verdict> {
    const { client, audience, users } = this.#options;
    const body = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      spec: { token, audiences: [audience] },
    };
    const { status } = await client.create<TokenReview>(resourcePath(RESOURCES.TokenReview), body);
    if (status?.authenticated !== true || status.audiences?.includes(audience) !== true) return 'unknown';
    return users.has(status.user?.username ?? '') ? 'passes' : 'forbidden';
  }
}
