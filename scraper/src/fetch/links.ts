// How to reach an origin: directly, over a connection of ours, or through a proxy, for which undici knows the ways.

import { ProxyAgent } from 'undici';
import type { ProxyRoute } from './credentials.ts';
import { type ExchangeHandler, HttpConnection } from './http-connection.ts';
import type { TlsMaterial } from './tls-material.ts';

/** A way to one origin; connected when it is needed. */
export interface Link {
  /** One at a time. Throws for headers that cannot be sent. */
  get(url: URL, headers: Readonly<Record<string, string>>, handler: ExchangeHandler): void;
  /** Silently ends what there is. */
  destroy(): void;
}

/** `idleMs`: how long a proxy's connection is kept that nobody uses. */
export function linkTo(
  origin: URL,
  tls: TlsMaterial | undefined,
  proxy: ProxyRoute | undefined,
  idleMs: number,
): Link {
  return proxy === undefined ? directLink(origin, tls) : proxyLink(proxy, tls, idleMs);
}

/** `unixSocket`: path to connect to instead of the origin's host. */
export function directLink(origin: URL, tls: TlsMaterial | undefined, unixSocket?: string): Link {
  const connection = new HttpConnection(origin, tls, unixSocket);
  let latest: URL | undefined;
  let path = '';
  return {
    get: (url, headers, handler) => {
      if (url !== latest) path = url.pathname + url.search;
      latest = url;
      connection.get(path, headers, handler);
    },
    destroy: () => connection.destroy(),
  };
}

function proxyLink(
  { url: uri, headers: proxyHeaders }: ProxyRoute,
  tls: TlsMaterial | undefined,
  idleMs: number,
): Link {
  const agent = new ProxyAgent({
    uri,
    headers: proxyHeaders,
    pipelining: 1,
    allowH2: false,
    // Deadlines are ours: undici's timers are a second coarse, and its body timeout starts anew with each chunk.
    headersTimeout: 0,
    bodyTimeout: 0,
    connectTimeout: 0,
    keepAliveTimeout: idleMs,
    keepAliveMaxTimeout: idleMs + 600_000,
    ...(tls && { requestTls: tls }),
  });
  return {
    get: ({ origin, pathname, search }, headers, handler) =>
      void agent.dispatch({ origin, path: pathname + search, method: 'GET', headers }, handler),
    destroy: () => void agent.destroy().catch(() => undefined),
  };
}
