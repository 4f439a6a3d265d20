// A job's credentials as an HTTP client needs them. Values come from files (looked at on each scrape, so that a rotated
// one works at once), from the assignment, or from the operator. None is ever part of an error or a log line.

import { FreshFiles, proxyUrlFor } from '@flotilla/chassis';
import type { CredentialSource, JobAuth, OAuth2Config, ProxyConfig, SecretRef } from '@flotilla/wire';
import { basicAuthorization } from './basic-authorization.ts';
import { OAuth2Tokens } from './oauth2-tokens.ts';
import { ScrapeError } from './scrape-error.ts';
import { tlsVersion, type TlsMaterial } from './tls-material.ts';

/** Where the values of secrets are; undefined while the operator has not given one. */
export interface SecretValues {
  get(ref: SecretRef): string | undefined;
}

export interface ProxyRoute {
  readonly url: string;
  /** Sent with CONNECT. */
  readonly headers: Readonly<Record<string, string>>;
}

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

  /** The proxy for a URL, with what it wants to see; undefined for none. Throws ScrapeError when a value is missing. */
  proxy(config: ProxyConfig | undefined, target: URL): ProxyRoute | undefined {
    if (config === undefined) return undefined;
    const url = proxyUrlFor(target, config);
    if (url === '') return undefined;
    const headers = (config.connectHeaders ?? []).map(({ name, values }) => [
      name,
      values.map((value) => this.#value(value)).join(', '),
    ]);
    return { url, headers: Object.fromEntries(headers) as Record<string, string> };
  }

  #token({ clientId, clientSecret, tls, proxy, ...rest }: OAuth2Config): string | Promise<string> {
    return this.#tokens.authorization({
      ...rest,
      clientId: this.#value(clientId),
      clientSecret: this.#value(clientSecret),
      tls: this.#material(tls),
      proxy: this.proxy(proxy, new URL(rest.tokenUrl)),
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
