// What a worker thread needs of this room: no HTTP server, no metrics, no logs. An isolate that loads less is smaller by megabytes.

export { ApiError, toApiError, type ErrorType } from './api-error.ts';
export { collectGarbage } from './collect-garbage.ts';
export { errorText } from './error-text.ts';
export { createInternalClient, type InternalClient } from './internal-client.ts';
