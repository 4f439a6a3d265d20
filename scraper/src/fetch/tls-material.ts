// TLS settings with their values, for a connection.

import { ScrapeError } from './scrape-error.ts';

/** What a TLS connection needs; equal objects may share a connection. */
export interface TlsMaterial {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
  readonly rejectUnauthorized: boolean;
  readonly minVersion?: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';
  readonly maxVersion?: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';
}

const TLS_VERSIONS: Readonly<Record<string, NonNullable<TlsMaterial['minVersion']>>> = {
  TLS10: 'TLSv1',
  TLS11: 'TLSv1.1',
  TLS12: 'TLSv1.2',
  TLS13: 'TLSv1.3',
};

/** Whether a connection made with `a` may serve `b`. */
export function sameTls(a: TlsMaterial | undefined, b: TlsMaterial | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (
    a.ca === b.ca &&
    a.cert === b.cert &&
    a.key === b.key &&
    a.servername === b.servername &&
    a.rejectUnauthorized === b.rejectUnauthorized &&
    a.minVersion === b.minVersion &&
    a.maxVersion === b.maxVersion
  );
}

/** TLS as far as it is about whom to trust, not about who we are: for a host that a redirect names. */
export function trustOnly(tls: TlsMaterial | undefined): TlsMaterial | undefined {
  if (tls === undefined) return undefined;
  const { cert: _cert, key: _key, servername: _servername, ...trust } = tls;
  return trust;
}

/** Throws ScrapeError for a name that is none. */
export function tlsVersion(name: string): NonNullable<TlsMaterial['minVersion']> {
  const version = TLS_VERSIONS[name];
  if (version === undefined) throw new ScrapeError(`tls: unknown version "${name}", want TLS10 to TLS13`);
  return version;
}
