/** Where to listen; without a host on all interfaces. */
export interface ListenAddress {
  readonly host: string | undefined;
  readonly port: number;
}

/** `127.0.0.1:9090`, `[::1]:0`, `:9090`. Throws an Error that names the flag. */
export function parseListenAddress(text: string): ListenAddress {
  const parts = /^(?:\[([0-9a-fA-F:.%]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text);
  const port = Number(parts?.[3]);
  if (parts === null || port > 65_535) {
    throw new Error(`flag --web.listen-address: got "${text}", want host:port`);
  }
  return { host: (parts[1] ?? parts[2]) || undefined, port };
}

/** The base URL of a listener, as a client on this machine may use it. */
export function listenUrl(scheme: 'http' | 'https', host: string, port: number): string {
  const isAny = host === '::' || host === '0.0.0.0';
  const name = isAny ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return `${scheme}://${name}:${port}`;
}
