// Request bodies, each with a limit.

import express, { type RequestHandler } from 'express';
import { ApiError } from './api-error.ts';

/** Form parameters, for POSTed queries: 10 MB and 100 000 parameters, as large selectors need. */
export const formBody: RequestHandler = express.urlencoded({
  extended: false,
  limit: 10 << 20,
  parameterLimit: 100_000,
});

/** JSON into req.body, whatever its content type says. */
export function jsonBody(limitBytes: number): RequestHandler {
  return express.json({ limit: limitBytes, type: () => true });
}

/**
 * The body's bytes as they came, into req.body as a Buffer. 413 beyond `limitBytes`.
 *
 * Content-Encoding is left to the handler: remote write says `snappy`, which express.raw refuses.
 */
export function protobufBody(limitBytes: number): RequestHandler {
  return async (req, res, next) => {
    const tooLarge = (): ApiError => {
      res.setHeader('Connection', 'close'); // The rest of the body is not read.
      return new ApiError('bad_data', `request body: too large, want at most ${limitBytes} bytes`, 413);
    };
    if (Number(req.headers['content-length'] ?? 0) > limitBytes) throw tooLarge();
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    // Destroying the request would take the connection with it, and the answer.
    for await (const chunk of req.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      sizeBytes += chunk.length;
      if (sizeBytes > limitBytes) throw tooLarge();
      chunks.push(chunk);
    }
    req.body = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
    next();
  };
}
