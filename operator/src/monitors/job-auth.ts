// How a job shows who it is, from the fields of a monitor. References stay references: the values are the scrapers' alone.

import type { CredentialSource, JobAuth, OAuth2Config, ProxyConfig } from '@flotilla/wire';
import type { AuthSpec, OAuth2Spec, TlsSpec } from '../objects/monitoring-schema.ts';

type ProxySpec = Pick<AuthSpec, 'proxyUrl' | 'noProxy' | 'proxyFromEnvironment' | 'proxyConnectHeader'>;

const tlsVersions = ['TLS10', 'TLS11', 'TLS12', 'TLS13'];

/** Throws RangeError for what must refuse the whole monitor. */
export function makeAuth(spec: AuthSpec, namespace: string): JobAuth {
  const { basicAuth, authorization, bearerTokenFile, bearerTokenSecret, tlsConfig, oauth2 } = spec;
  const hasSecret = bearerTokenSecret !== undefined && bearerTokenSecret.key !== '';
  const kinds = [basicAuth, authorization, bearerTokenFile || undefined, hasSecret || undefined, oauth2];
  if (kinds.filter((one) => one !== undefined).length > 1)
    throw new RangeError('at most one of basicAuth, authorization, oauth2 and bearerToken must be set');
  if (authorization?.type?.trim().toLowerCase() === 'basic')
    throw new RangeError('authorization: type Basic is not allowed, want basicAuth');
  const proxy = makeProxy(spec, namespace);
  if (basicAuth !== undefined && !(basicAuth.username?.name && basicAuth.password?.name))
    throw new RangeError('basicAuth: want the secrets of username and password');
  if (authorization !== undefined && !authorization.credentials?.name)
    throw new RangeError('authorization: want the secret of its credentials');
  return {
    ...(basicAuth && {
      basic: {
        username: keyOf(basicAuth.username, namespace),
        password: keyOf(basicAuth.password, namespace),
      },
    }),
    ...(authorization && {
      authorization: {
        type: authorization.type?.trim() || 'Bearer',
        credentials: keyOf(authorization.credentials, namespace),
      },
    }),
    ...(bearerTokenFile && { authorization: { type: 'Bearer', credentials: { file: bearerTokenFile } } }),
    ...(hasSecret && { authorization: { type: 'Bearer', credentials: keyOf(bearerTokenSecret, namespace) } }),
    ...(oauth2 && { oauth2: makeOAuth2(oauth2, namespace) }),
    ...(tlsConfig && { tls: makeTls(tlsConfig, namespace) }),
    ...(proxy && { proxy }),
  };
}

function makeOAuth2(spec: OAuth2Spec, namespace: string): OAuth2Config {
  const { tokenUrl, scopes = [], endpointParams = {}, tlsConfig } = spec;
  const proxy = makeProxy(spec, namespace);
  const clientId = either('oauth2: clientId', spec.clientId, undefined, namespace);
  if (clientId === undefined) throw new RangeError('oauth2: want the secret or configMap of clientId');
  return {
    clientId,
    clientSecret: keyOf(spec.clientSecret, namespace),
    tokenUrl,
    scopes,
    endpointParams,
    ...(tlsConfig && { tls: makeTls(tlsConfig, namespace) }),
    ...(proxy && { proxy }),
  };
}

/** Whether a monitor names files of the scraper's pod, its token among them. */
export function readsFiles({ bearerTokenFile, tlsConfig }: AuthSpec): boolean {
  const { caFile, certFile, keyFile } = tlsConfig ?? {};
  return [bearerTokenFile, caFile, certFile, keyFile].some((file) => file !== undefined && file !== '');
}

function makeProxy(
  { proxyUrl, noProxy, proxyFromEnvironment, proxyConnectHeader }: ProxySpec,
  namespace: string,
): ProxyConfig | undefined {
  if (proxyFromEnvironment === true && (proxyUrl !== undefined || noProxy !== undefined))
    throw new RangeError('proxyFromEnvironment: want neither proxyUrl nor noProxy beside it');
  if (noProxy !== undefined && proxyUrl === undefined)
    throw new RangeError('noProxy: want proxyUrl beside it');
  if (proxyConnectHeader !== undefined && proxyUrl === undefined && proxyFromEnvironment !== true)
    throw new RangeError('proxyConnectHeader: want proxyUrl or proxyFromEnvironment beside it');
  if (proxyUrl === undefined && proxyFromEnvironment !== true) return undefined;
  const connectHeaders = Object.entries(proxyConnectHeader ?? {})
    .toSorted()
    .map(([name, selectors]) => ({ name, values: selectors.map((one) => keyOf(one, namespace)) }));
  return {
    ...(proxyUrl !== undefined && { url: proxyUrl }),
    ...(noProxy !== undefined && { noProxy }),
    ...(proxyFromEnvironment === true && { fromEnvironment: true }),
    ...(connectHeaders.length > 0 && { connectHeaders }),
  };
}

interface KeySelector {
  readonly name: string;
  readonly key: string;
}

function keyOf(
  selector: KeySelector | undefined,
  namespace: string,
  kind: 'Secret' | 'ConfigMap' = 'Secret',
): CredentialSource {
  if (selector === undefined) return { value: '' };
  return { secret: { kind, namespace, name: selector.name, key: selector.key } };
}

function makeTls(tls: TlsSpec, namespace: string): NonNullable<JobAuth['tls']> {
  for (const [one, other] of [
    ['ca', 'caFile'],
    ['cert', 'certFile'],
    ['keySecret', 'keyFile'],
  ] as const) {
    if (tls[one] !== undefined && tls[other])
      throw new RangeError(`tlsConfig: only one of ${one} and ${other} may be set`);
  }
  const { minVersion, maxVersion } = tls;
  if (minVersion && maxVersion && tlsVersions.indexOf(maxVersion) < tlsVersions.indexOf(minVersion))
    throw new RangeError(`tlsConfig: maxVersion ${maxVersion} is below minVersion ${minVersion}`);
  const ca = either('tlsConfig: ca', tls.ca, tls.caFile, namespace);
  const cert = either('tlsConfig: cert', tls.cert, tls.certFile, namespace);
  const key = tls.keySecret === undefined ? fileOf(tls.keyFile) : keyOf(tls.keySecret, namespace);
  if ((cert === undefined) !== (key === undefined))
    throw new RangeError('tlsConfig: want both of client certificate and key, or none');
  return {
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
    ...(tls.serverName !== undefined && { serverName: tls.serverName }),
    ...(tls.insecureSkipVerify !== undefined && { insecureSkipVerify: tls.insecureSkipVerify }),
    ...(minVersion !== undefined && { minVersion }),
    ...(maxVersion !== undefined && { maxVersion }),
  };
}

function either(
  what: string,
  selector:
    | { readonly secret?: KeySelector | undefined; readonly configMap?: KeySelector | undefined }
    | undefined,
  file: string | undefined,
  namespace: string,
): CredentialSource | undefined {
  if (selector?.secret !== undefined && selector.configMap !== undefined)
    throw new RangeError(`${what}: want one of secret and configMap`);
  if (selector?.secret !== undefined) return keyOf(selector.secret, namespace);
  if (selector?.configMap !== undefined) return keyOf(selector.configMap, namespace, 'ConfigMap');
  return fileOf(file);
}

function fileOf(file: string | undefined): CredentialSource | undefined {
  return file ? { file } : undefined;
}
