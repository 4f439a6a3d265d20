// Cross-origin requests: the origin that asks is allowed by name when the pattern matches the whole of it.

import type { RequestHandler } from '@flotilla/chassis';
import { AnchoredRegexp } from '@flotilla/model';
import { COMPLETENESS_HEADER } from '@flotilla/wire';

/** '' allows none. Throws PatternError. */
export function cors(pattern: string): RequestHandler {
  const allowed = pattern === '' ? undefined : new AnchoredRegexp(pattern);
  return (request, response, next) => {
    const { origin } = request.headers;
    response.vary('Origin');
    if (origin !== undefined && allowed?.test(origin) === true) {
      response.setHeader('Access-Control-Allow-Origin', origin);
      response.setHeader('Access-Control-Allow-Headers', 'Accept, Authorization, Content-Type, Origin');
      response.setHeader('Access-Control-Allow-Methods', 'GET, POST, OPTIONS');
      response.setHeader('Access-Control-Expose-Headers', `Date, ${COMPLETENESS_HEADER}`);
    }
    if (request.method === 'OPTIONS') response.status(204).end();
    else next();
  };
}
