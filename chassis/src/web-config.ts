// --web.config.file: Prometheus's web configuration, for TLS and basic authentication on a listener.
//
// Paths are relative to the file. Unknown keys are refused by name. The file and all that it names are
// looked at on each connection and request, so a renewed certificate or a new user works at once; a reload
// that fails is logged and keeps the last good configuration.

import { createSecureContext } from 'node:tls';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
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

const path = z.string().min(1);
const tlsSchema = z.strictObject({
  cert: z.string().optional(),
  key: z.string().optional(),
  client_ca: z.string().optional(),
  cert_file: path.optional(),
  key_file: path.optional(),
  client_ca_file: path.optional(),
  client_auth_type: z.enum(clientAuthTypes).optional(),
  client_allowed_sans: z.array(z.string()).default([]),
  min_version: z.enum(Object.keys(tlsVersions)).default('TLS12'),
  max_version: z.enum(Object.keys(tlsVersions)).default('TLS13'),
  cipher_suites: z.array(z.enum(Object.keys(cipherNames))).default([]),
  curve_preferences: z.array(z.enum(Object.keys(curveNames))).default([]),
  prefer_server_cipher_suites: z.boolean().default(true),
});
const headersSchema = z.strictObject({
  'Content-Security-Policy': z.string().optional(),
  'X-Frame-Options': z.enum(['', 'deny', 'sameorigin']).optional(),
  'X-Content-Type-Options': z.enum(['', 'nosniff']).optional(),
  'X-XSS-Protection': z.string().optional(),
  'Strict-Transport-Security': z.string().optional(),
});
const bcryptHash = z.string().regex(/^\$2[aby]?\$\d\d\$[./A-Za-z0-9]{53}$/, 'want a bcrypt hash');
const fileSchema = z.strictObject({
  tls_server_config: tlsSchema.nullish(),
  http_server_config: z
    .strictObject({ http2: z.boolean().optional(), headers: headersSchema.nullish() })
    .nullish(),
  basic_auth_users: z.record(z.string(), bcryptHash).nullish(),
});
type TlsSection = z.infer<typeof tlsSchema>;

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
    const section = parseSections(source);
    const tls = section.tls_server_config ?? undefined;
    return {
      tls: tls && readTls(tls, (name) => read(resolve(dirname(file), name))),
      headers: headersOf(section.http_server_config?.headers ?? {}),
      users: new Map(Object.entries(section.basic_auth_users ?? {})),
    };
  } catch (err) {
    throw new Error(`web config file ${file}`, { cause: err });
  }
}

function headersOf(section: z.infer<typeof headersSchema>): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  for (const [name, value] of Object.entries(section)) {
    if (value !== undefined && value !== '') headers.set(name, value);
  }
  return headers;
}

function parseSections(source: string): z.infer<typeof fileSchema> {
  const result = fileSchema.safeParse(loadYaml(source));
  if (result.success) return result.data;
  throw new Error(result.error.issues.map(issueText).join('; '));
}

/** `tls_server_config.cert_fil: unknown key`. Values are left out: they may be keys or hashes. */
function issueText(issue: z.core.$ZodIssue): string {
  const where = issue.path.map(String);
  if (issue.code !== 'unrecognized_keys') return `${where.join('.') || 'top level'}: ${issue.message}`;
  return issue.keys.map((key) => `${[...where, key].join('.')}: unknown key`).join('; ');
}

function readTls(section: TlsSection, read: (name: string) => string): TlsConfig {
  const text = (name: 'cert' | 'key' | 'client_ca'): string | undefined => {
    const inline = section[name];
    const file = section[`${name}_file`];
    if (inline !== undefined && file !== undefined)
      throw new Error(`${name} and ${name}_file: both given, want one`);
    return file === undefined ? inline : read(file);
  };
  const cert = text('cert');
  const key = text('key');
  const ca = text('client_ca');
  if (cert === undefined || key === undefined)
    throw new Error('tls_server_config: want a certificate and its key');
  const clientAuth =
    section.client_auth_type ?? (ca === undefined ? 'NoClientCert' : 'RequireAndVerifyClientCert');
  if (ca === undefined && /Verify/.test(clientAuth))
    throw new Error(`client_auth_type ${clientAuth}: no CA, want client_ca_file`);
  const { cipher_suites: ciphers, curve_preferences: curves } = section;
  const context = {
    cert,
    key,
    ...(ca !== undefined && { ca }),
    minVersion: tlsVersions[section.min_version as keyof typeof tlsVersions],
    maxVersion: tlsVersions[section.max_version as keyof typeof tlsVersions],
    ...(ciphers.length > 0 && { ciphers: ciphers.map((name) => cipherNames[name]).join(':') }),
    ...(curves.length > 0 && { ecdhCurve: curves.map((name) => curveNames[name]).join(':') }),
    honorCipherOrder: section.prefer_server_cipher_suites,
  };
  checkContext(context);
  return { context, clientAuth, clientAllowedSans: section.client_allowed_sans };
}

/** Throws what OpenSSL has against it, while the old one is still in use. */
function checkContext(context: TlsConfig['context']): void {
  try {
    createSecureContext(context);
  } catch (err) {
    throw new Error('tls_server_config: certificate, key or CA refused', { cause: err });
  }
}
