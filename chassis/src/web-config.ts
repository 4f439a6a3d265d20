// --web.config.file: Prometheus's web configuration, for TLS and basic authentication on a listener.
//
// Paths are relative to the file. Unknown keys are refused by name. The file and all that it names are
// looked at on each connection and request, so a renewed certificate or a new user works at once; a reload
// that fails is logged and keeps the last good configuration.

import { createSecureContext } from 'node:tls';
import { dirname, resolve } from 'node:path';
import { JsonField } from '@flotilla/model';
import { FreshFiles, type ReadFile } from './fresh-files.ts';
import { loadYaml } from './load-yaml.ts';
import { cipherNames, clientAuthTypes, curveNames, tlsVersions, type ClientAuthType } from './tls-names.ts';

/** What https.createServer and setSecureContext take, and how client certificates are judged. */
export interface TlsConfig {
  readonly context: {
    readonly cert: string;
    readonly key: string;
    readonly ca?: string;
    readonly minVersion: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';
    readonly maxVersion: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';
    readonly ciphers?: string;
    readonly ecdhCurve?: string;
    readonly honorCipherOrder: boolean;
  };
  readonly clientAuth: ClientAuthType;
  readonly clientAllowedSans: readonly string[];
}

export interface WebConfig {
  readonly tls: TlsConfig | undefined;
  readonly headers: ReadonlyMap<string, string>;
  /** User name → bcrypt hash. */
  readonly users: ReadonlyMap<string, string>;
}

const bcryptHash = /^\$2[aby]?\$\d\d\$[./A-Za-z0-9]{53}$/;
const headerNames = [
  'Content-Security-Policy',
  'X-Frame-Options',
  'X-Content-Type-Options',
  'X-XSS-Protection',
  'Strict-Transport-Security',
] as const;
const tlsNames = [
  'cert',
  'key',
  'client_ca',
  'cert_file',
  'key_file',
  'client_ca_file',
  'client_auth_type',
  'client_allowed_sans',
  'min_version',
  'max_version',
  'cipher_suites',
  'curve_preferences',
  'prefer_server_cipher_suites',
] as const;

/** The configuration in a file, re-read when it changes. Throws when it is wrong at start. */
export function openWebConfig(file: string, onError: (err: unknown) => void): FreshFiles<WebConfig> {
  let wasTls: boolean | undefined;
  return new FreshFiles((read) => {
    const config = readWebConfig(file, read);
    const isTls = config.tls !== undefined;
    if (wasTls !== undefined && wasTls !== isTls) {
      throw new Error(`web config file ${file}: tls_server_config came or went, want a restart for that`);
    }
    wasTls = isTls;
    return config;
  }, onError);
}

function readWebConfig(file: string, read: ReadFile): WebConfig {
  const source = read(file);
  try {
    const config = new JsonField(loadYaml(source));
    config.only('tls_server_config', 'http_server_config', 'basic_auth_users');
    const tls = config.at('tls_server_config');
    return {
      tls: tls.isGiven
        ? readTls(tls.only(...tlsNames), (name) => read(resolve(dirname(file), name)))
        : undefined,
      headers: readHeaders(config.at('http_server_config')),
      users: readUsers(config.at('basic_auth_users')),
    };
  } catch (err) {
    throw new Error(`web config file ${file}`, { cause: err });
  }
}

function readHeaders(section: JsonField): ReadonlyMap<string, string> {
  if (!section.isGiven) return new Map();
  section.only('http2', 'headers');
  if (section.at('http2').isGiven) section.at('http2').boolean();
  const headers = section.at('headers');
  if (!headers.isGiven) return new Map();
  headers
    .only(...headerNames)
    .at('X-Frame-Options')
    .optional((field) => field.oneOf('', 'deny', 'sameorigin'));
  headers.at('X-Content-Type-Options').optional((field) => field.oneOf('', 'nosniff'));
  return new Map(
    headers.entries().flatMap(([name, field]) => (field.text() === '' ? [] : [[name, field.text()]])),
  );
}

function readUsers(section: JsonField): ReadonlyMap<string, string> {
  if (!section.isGiven) return new Map();
  return new Map(
    section
      .entries()
      .map(([name, hash]) => [
        name,
        bcryptHash.test(hash.text()) ? hash.text() : hash.fail('want a bcrypt hash'),
      ]),
  );
}

function readTls(section: JsonField, read: (name: string) => string): TlsConfig {
  const text = (name: 'cert' | 'key' | 'client_ca'): string | undefined => {
    const inline = section.at(name).optional((field) => field.text());
    const file = section.at(`${name}_file`).optional((field) => field.name());
    if (inline !== undefined && file !== undefined)
      throw new Error(`${name} and ${name}_file: both given, want one`);
    return file === undefined ? inline : read(file);
  };
  const [cert, key, ca] = [text('cert'), text('key'), text('client_ca')];
  const clientAuth =
    section.at('client_auth_type').optional((field) => field.oneOf(...clientAuthTypes)) ??
    (ca === undefined ? 'NoClientCert' : 'RequireAndVerifyClientCert');
  const sans = section.at('client_allowed_sans').optional((list) => list.items().map((name) => name.text()));
  const handshake = readHandshake(section);
  if (cert === undefined || key === undefined)
    throw new Error('tls_server_config: want a certificate and its key');
  if (ca === undefined && /Verify/.test(clientAuth))
    throw new Error(`client_auth_type ${clientAuth}: no CA, want client_ca_file`);
  const context = { cert, key, ...(ca !== undefined && { ca }), ...handshake };
  checkContext(context);
  return { context, clientAuth, clientAllowedSans: sans ?? [] };
}

function readHandshake(section: JsonField): Omit<TlsConfig['context'], 'cert' | 'key' | 'ca'> {
  const version = (name: string): string | undefined =>
    section.at(name).optional((field) => field.oneOf(...Object.keys(tlsVersions)));
  const list = (name: string, known: Readonly<Record<string, string>>): string => {
    const names = section
      .at(name)
      .optional((field) => field.items().map((one) => one.oneOf(...Object.keys(known))));
    return (names ?? []).map((one) => known[one]).join(':');
  };
  const ciphers = list('cipher_suites', cipherNames);
  const ecdhCurve = list('curve_preferences', curveNames);
  return {
    minVersion: tlsVersions[(version('min_version') ?? 'TLS12') as keyof typeof tlsVersions],
    maxVersion: tlsVersions[(version('max_version') ?? 'TLS13') as keyof typeof tlsVersions],
    ...(ciphers !== '' && { ciphers }),
    ...(ecdhCurve !== '' && { ecdhCurve }),
    honorCipherOrder: section.at('prefer_server_cipher_suites').optional((field) => field.boolean()) ?? true,
  };
}

/** Throws what OpenSSL has against it, while the old one is still in use. */
function checkContext(context: TlsConfig['context']): void {
  try {
    createSecureContext(context);
  } catch (err) {
    throw new Error('tls_server_config: certificate, key or CA refused', { cause: err });
  }
}
