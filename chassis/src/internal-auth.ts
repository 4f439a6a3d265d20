// The token that the parts of a fleet show each other: `Authorization: Bearer`, compared in constant time.
//
// The file is looked at on each use, so a rotated token works at once. The token itself is never logged.

import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { RequestHandler } from 'express';
import { FreshFiles, type ReadFile } from './fresh-files.ts';

const tokenMinLength = 8;
const tokenMaxLength = 4096;
const tokens = new Map<string, FreshFiles<string>>();

/** The token in `path`, without surrounding white space. Throws when the file is missing or holds none. */
export function readToken(path: string): string {
  if (path === '') throw new Error('token file: no path, want one');
  let file = tokens.get(path);
  if (file === undefined) {
    file = new FreshFiles((read) => parseToken(path, read));
    tokens.set(path, file);
  }
  return file.get();
}

function parseToken(path: string, read: ReadFile): string {
  const token = readText(path, read).trim();
  if (token.length < tokenMinLength || token.length > tokenMaxLength || !/^[\x21-\x7e]+$/.test(token)) {
    throw new Error(
      `token file ${path}: want ${tokenMinLength} to ${tokenMaxLength} printable characters without spaces`,
    );
  }
  return token;
}

function readText(path: string, read: ReadFile): string {
  try {
    return read(path);
  } catch (err) {
    throw new Error(`token file ${path}`, { cause: err });
  }
}

/** Whether a request shows the token of `tokenFile`. */
export function hasToken(req: IncomingMessage, tokenFile: string): boolean {
  const shown = /^Bearer +(\S+) *$/i.exec(req.headers.authorization ?? '')?.[1];
  return shown !== undefined && timingSafeEqual(digest(shown), digest(readToken(tokenFile)));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/**
 * Lets only those requests pass that show the token; others get 401.
 *
 * undefined means open on purpose (see internalTokenFile); an unreadable file throws here, at start.
 */
export function requireToken(tokenFile: string | undefined): RequestHandler {
  if (tokenFile === undefined) return (_req, _res, next) => next();
  readToken(tokenFile);
  return (req, res, next) => {
    if (hasToken(req, tokenFile)) {
      next();
      return;
    }
    res.status(401).setHeader('WWW-Authenticate', 'Bearer').type('text/plain').send('Unauthorized\n');
  };
}

/** Headers for a request to another part; none without a token file. */
export function internalFetchHeaders(tokenFile: string | undefined): Record<string, string> {
  return tokenFile === undefined || tokenFile === ''
    ? {}
    : { authorization: `Bearer ${readToken(tokenFile)}` };
}
