// JSON answers, compressed when it pays.

import { gzip } from 'node:zlib';
import type { Request, Response } from 'express';

const gzipMinBytes = 1024;
/** The lowest level: three quarters of the gain of the default for a third of the CPU. */
const gzipLevel = 1;

/** Answers with `body` as JSON. */
export function sendJson(req: Request, res: Response, status: number, body: unknown): void {
  sendJsonText(req, res, status, JSON.stringify(body));
}

/** Answers with a text that is JSON already. */
export function sendJsonText(req: Request, res: Response, status: number, text: string): void {
  const bytes = Buffer.from(text);
  res.status(status).setHeader('Content-Type', 'application/json');
  res.vary('Accept-Encoding');
  if (bytes.length < gzipMinBytes || !acceptsGzip(req)) {
    res.end(bytes);
    return;
  }
  gzip(bytes, { level: gzipLevel }, (err, packed) => {
    if (err !== null) {
      res.end(bytes);
      return;
    }
    res.setHeader('Content-Encoding', 'gzip');
    res.end(packed);
  });
}

/** Answers 200 with Prometheus's envelope. Empty warnings and infos are left out. */
export function sendData(
  req: Request,
  res: Response,
  data: unknown,
  { warnings = [], infos = [] }: { warnings?: readonly string[]; infos?: readonly string[] } = {},
): void {
  sendJson(req, res, 200, {
    status: 'success',
    data,
    ...(warnings.length > 0 && { warnings }),
    ...(infos.length > 0 && { infos }),
  });
}

function acceptsGzip(req: Request): boolean {
  return req.acceptsEncodings('gzip', 'identity') === 'gzip';
}
