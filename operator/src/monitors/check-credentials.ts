// Whether what a job refers to is there and is what it must be. A monitor with a secret that is missing is refused, and taken as soon
// as the secret is there.

import { errorText } from '@flotilla/chassis';
import type { CredentialSource, JobAuth, SecretRef, TlsConfig } from '@flotilla/wire';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { AuthSpec } from '../objects/monitoring-schema.ts';
import type { ObjectSource } from '../objects/object-source.ts';

/** The base64 value of a key; undefined when there is no such object or key. */
export function secretValue(
  source: ObjectSource,
  { kind, namespace, name, key }: SecretRef,
): string | undefined {
  if (kind === 'ConfigMap') {
    const configMap = source.get('ConfigMap', namespace, name);
    const text = configMap?.data[key];
    return text === undefined ? configMap?.binaryData[key] : Buffer.from(text).toString('base64');
  }
  const secret = source.get('Secret', namespace, name);
  const text = secret?.stringData[key];
  return text === undefined ? secret?.data[key] : Buffer.from(text).toString('base64');
}

/** Throws RangeError with what is missing or broken. */
export function checkCredentials(auth: JobAuth, source: ObjectSource): void {
  const { basic, authorization, oauth2, tls } = auth;
  const single = [basic?.username, basic?.password, authorization?.credentials];
  for (const one of [...single, oauth2?.clientId, oauth2?.clientSecret]) read(one, source);
  for (const one of [tls, oauth2?.tls]) checkTls(one, source);
}

function checkTls(tls: TlsConfig | undefined, source: ObjectSource): void {
  if (tls === undefined) return;
  const ca = read(tls.ca, source);
  if (ca !== undefined) check('ca', () => certificates(ca).forEach((pem) => new X509Certificate(pem)));
  const cert = read(tls.cert, source);
  const key = read(tls.key, source);
  if (cert === undefined || key === undefined) return;
  check('certificate and key', () => {
    const certificate = new X509Certificate(certificates(cert)[0]!);
    if (!certificate.checkPrivateKey(createPrivateKey(key))) throw new Error('they do not belong together');
  });
}

/** Of the headers that a proxy is sent. */
export function checkHeaderSecrets(
  { proxyConnectHeader = {}, oauth2 }: AuthSpec,
  namespace: string,
  source: ObjectSource,
): void {
  const headers = [proxyConnectHeader, oauth2?.proxyConnectHeader ?? {}];
  for (const { name, key } of headers.flatMap((one) => Object.values(one).flat()))
    read({ secret: { kind: 'Secret', namespace, name, key } }, source);
}

/** undefined for what is not in a Secret or ConfigMap. */
function read(credential: CredentialSource | undefined, source: ObjectSource): string | undefined {
  if (credential === undefined || !('secret' in credential)) return undefined;
  const { secret } = credential;
  const value = secretValue(source, secret);
  if (value !== undefined) return Buffer.from(value, 'base64').toString('utf8');
  const { kind, namespace, name, key } = secret;
  const isThere = source.get(kind, namespace, name) !== undefined;
  const what = isThere ? `no key ${key}` : 'not found';
  throw new RangeError(`${kind} ${namespace}/${name}: ${what}`);
}

function certificates(pem: string): string[] {
  const found = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g);
  if (found === null) throw new Error('no certificate in it');
  return found;
}

function check(what: string, parse: () => void): void {
  try {
    parse();
  } catch (error) {
    throw new RangeError(`tlsConfig: ${what}: ${errorText(error)}`, { cause: error });
  }
}
