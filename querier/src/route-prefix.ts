// web.external-url and web.route-prefix: the server's paths below a prefix, for a proxy that passes it on.

import type { HttpServer, RequestHandler } from '@flotilla/chassis';

/** '' or a path with a slash before and none behind: that of the flag, else the external URL's. Throws TypeError for no URL. */
export function routePrefix(flag: string, externalUrl: string): string {
  const path = flag !== '' ? flag : externalUrl === '' ? '' : new URL(externalUrl).pathname;
  const trimmed = path.replaceAll(/^\/+|\/+$/g, '');
  return trimmed === '' ? '' : `/${trimmed}`;
}

/**
 * Serves everything below the prefix: requests go on without it. Health and metrics, which probes and scrapers of the cluster ask
 * for, are served without it, too; the root leads to the prefix, and all else is not found.
 */
export function servePrefix({ app }: HttpServer, prefix: string): void {
  if (prefix === '') return;
  const strip: RequestHandler = (request, response, next) => {
    const rest = request.url.slice(prefix.length);
    if (request.url.startsWith(prefix) && /^(?:[/?]|$)/.test(rest)) {
      request.url = rest.startsWith('/') ? rest : `/${rest}`;
      // What the server itself answers comes before this.
      if (/^\/(?:-\/|metrics(?:\?|$))/.test(request.url)) app(request, response);
      else next();
    } else if (request.url === '/') response.redirect(302, `${prefix}/`);
    else next('router');
  };
  app.use(strip);
}
