// The end of every chain of handlers: what nobody answered, and what somebody threw.

import type { ErrorRequestHandler, RequestHandler } from 'express';
import { ApiError, toApiError } from './api-error.ts';
import { errorText } from './error-text.ts';
import type { Logger } from './logger.ts';
import { sendJson } from './send-json.ts';

/** 404: the envelope below /api/, Go's plain text elsewhere. */
export const notFound: RequestHandler = (req, res, next) => {
  if (req.path.startsWith('/api/')) {
    next(new ApiError('not_found', `path ${req.path}: not found`));
    return;
  }
  res.status(404).type('text/plain').send('404 page not found\n');
};

/**
 * Answers errors in Prometheus's envelope, and logs those that are ours.
 *
 * Once a body has begun, the connection is cut instead: a short answer must not look whole.
 */
export function errorHandler(log: Logger): ErrorRequestHandler {
  return (err: unknown, req, res, _next) => {
    const apiError = toApiError(err);
    if (apiError.status >= 500 && apiError.errorType === 'internal') {
      log.error('Request failed', { method: req.method, path: req.path, err });
    }
    if (res.headersSent) {
      log.warn('Answer cut off', { method: req.method, path: req.path, reason: errorText(err) });
      res.destroy();
      return;
    }
    sendJson(req, res, apiError.status, {
      status: 'error',
      errorType: apiError.errorType,
      error: apiError.message,
    });
  };
}
