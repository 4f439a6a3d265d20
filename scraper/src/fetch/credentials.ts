// A job's credentials as an HTTP client needs them. Values come from files (looked at on each scrape, so that a rotated
// one works at once), from the assignment, or from the operator. None is ever part of an error or a log line.

import { FreshFiles } from '@flotilla/chassis';
import type { CredentialSource, JobAuth, OAuth2Config, SecretRef } from '@flotilla/wire';
import { OAuth2Tokens } from './oauth2-tokens.ts';
import { ScrapeError } from './scrape-error.ts';

/** Where the values of secrets are; undefined while the operator has not given one. */
export interface SecretValues {
  get(ref: SecretRef): string | undefined;
}

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

export class Credentials {
  readonly #secrets: SecretValues;
  readonly #files = new Map<string, FreshFiles<string>>();
  readonly #tokens = new OAuth2Tokens();

  constructor(secrets: SecretValues) {
    this.#secrets = secrets;
  }

  /** The Authorization header, or undefined; a promise only while a token is asked for. Throws ScrapeError when a value is missing. */
  authorization(auth: JobAuth): string | undefined | Promise<string> {
    if (auth.oauth2 !== undefined) return this.#token(auth.oauth2);
    if (auth.basic !== undefined) {
      const user = this.#value(auth.basic.username);
      return basicAuthorization(user, this.#value(auth.basic.password));
    }
    if (auth.authorization === undefined) return undefined;
    const { type, credentials } = auth.authorization;
    return `${type === '' ? 'Bearer' : type} ${this.#value(credentials).trim()}`;
  }

  /** Throws ScrapeError when a value is missing. */
  tls(auth: JobAuth): TlsMaterial | undefined {
    return this.#material(auth.tls);
  }

  #token({ clientId, clientSecret, tls, proxyUrl = '', ...rest }: OAuth2Config): string | Promise<string> {
    return this.#tokens.authorization({
      ...rest,
      clientId: this.#value(clientId),
      clientSecret: this.#value(clientSecret),
      tls: this.#material(tls),
      proxyUrl,
    });
  }

  #material(tls: JobAuth['tls']): TlsMaterial | undefined {
    if (tls === undefined) return undefined;
    return {
      ...(tls.ca && { ca: this.#value(tls.ca) }),
      ...(tls.cert && { cert: this.#value(tls.cert) }),
      ...(tls.key && { key: this.#value(tls.key) }),
      ...(tls.serverName && { servername: tls.serverName }),
      ...(tls.minVersion && { minVersion: tlsVersion(tls.minVersion) }),
      ...(tls.maxVersion && { maxVersion: tlsVersion(tls.maxVersion) }),
      rejectUnauthorized: tls.insecureSkipVerify !== true,
    };
  }

  #value(source: CredentialSource): string {
    if ('value' in source) return source.value;
    if ('file' in source) return this.#file(source.file);
    const value = this.#secrets.get(source.secret);
    if (value !== undefined) return value;
    const { kind, namespace, name, key } = source.secret;
    throw new ScrapeError(`credentials: no value for key "${key}" of ${kind} ${namespace}/${name}`);
  }

  #file(path: string): string {
    try {
      let file = this.#files.get(path);
      if (file === undefined) {
        file = new FreshFiles((read) => read(path));
        this.#files.set(path, file);
      }
      return file.get();
    } catch (err) {
      throw new ScrapeError(`credentials: unable to read file ${path}`, { cause: err });
    }
  }
}

export function basicAuthorization(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

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

function tlsVersion(name: string): NonNullable<TlsMaterial['minVersion']> {
  const version = TLS_VERSIONS[name];
  if (version === undefined) throw new ScrapeError(`tls: unknown version "${name}", want TLS10 to TLS13`);
  return version;
}
