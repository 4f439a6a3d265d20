// GET /rules/v1: what rulers evaluate. Format: docs/format/rules.md.

import { Router } from '@flotilla/chassis';
import type { RequestHandler } from '@flotilla/chassis';
import { Unavailable } from '@flotilla/model';
import type { RulesFeed } from '@flotilla/wire';
import { createHash } from 'node:crypto';
import type { RuleFileText } from '../discovery/findings.ts';

/** `files` gives undefined while not everything has been read: then a ruler keeps what it has. */
export function rulesRoute(
  files: () => readonly RuleFileText[] | undefined,
  authenticate: RequestHandler,
): Router {
  const router = Router();
  router.use(authenticate);
  router.get('/', (request, response) => {
    const current = files();
    if (current === undefined) throw new Unavailable('rules: discovery is not synced yet');
    const feed: RulesFeed = { version: 1, files: current };
    const text = JSON.stringify(feed);
    const etag = `"${createHash('sha256').update(text).digest('hex').slice(0, 32)}"`;
    response.setHeader('ETag', etag);
    if (request.headers['if-none-match'] === etag) response.status(304).end();
    else response.type('application/json').send(text);
  });
  return router;
}
