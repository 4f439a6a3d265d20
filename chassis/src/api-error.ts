// What an HTTP caller is told when something fails: Prometheus's error types, codes and envelope.

import { BadRequest, Unavailable } from '@flotilla/model';
import { errorText } from './error-text.ts';

/** Prometheus's error types and their HTTP codes. */
const statusOf = {
  bad_data: 400,
  execution: 422,
  canceled: 499,
  timeout: 503,
  internal: 500,
  unavailable: 503,
  not_found: 404,
  not_acceptable: 406,
} as const;

export type ErrorType = keyof typeof statusOf;

/** An error with the exact answer that the caller gets. The message is the envelope's `error`. */
export class ApiError extends Error {
  readonly errorType: ErrorType;
  readonly status: number;
  constructor(
    errorType: ErrorType,
    message: string,
    status: number = statusOf[errorType],
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'ApiError';
    this.errorType = errorType;
    this.status = status;
  }
}

/** BadRequest → 400 bad_data, Unavailable → 503 unavailable, what the body parsers throw → its 4xx, anything else → 500 internal. */
export function toApiError(err: unknown): ApiError {
  if (err instanceof ApiError) return err;
  const text = errorText(err);
  if (err instanceof BadRequest) return new ApiError('bad_data', text, 400, { cause: err });
  if (err instanceof Unavailable) return new ApiError('unavailable', text, 503, { cause: err });
  const status = clientStatusOf(err);
  if (status !== undefined) return new ApiError('bad_data', text, status, { cause: err });
  return new ApiError('internal', text, 500, { cause: err });
}

/** body-parser marks the caller's faults with a 4xx `status` to expose; the router throws URIError for a bad `%`. */
function clientStatusOf(err: unknown): number | undefined {
  if (typeof err !== 'object' || err === null || !('status' in err)) return undefined;
  const { status, expose, name } = err as { status: unknown; expose?: unknown; name?: unknown };
  if (expose !== true && name !== 'URIError') return undefined;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : undefined;
}
