import type { RequestHandler } from 'express';
import { ApiError } from './api-error.ts';

/** Lets `max` requests be in progress at once; more are answered 503 at once, with `what` in the reason. */
export function limitInFlight(max: number, what = 'requests'): RequestHandler {
  let inFlight = 0;
  return (_req, res, next) => {
    if (inFlight >= max) {
      res.setHeader('Retry-After', '1');
      throw new ApiError('unavailable', `${what}: ${inFlight} in flight, want at most ${max}`);
    }
    inFlight++;
    res.once('close', () => inFlight--);
    next();
  };
}
