// Credentials and relabeling, as they come out of protobuf, made plain objects of our own.

import { BadRequest, type RelabelConfig } from '@flotilla/model';
import type { CredentialSource, JobAuth, OAuth2Config, ProxyConfig } from './assignment.ts';

export function fromRelabelMessage(message: RelabelConfig): RelabelConfig {
  return { ...own(message), sourceLabels: [...(message.sourceLabels ?? [])] };
}

export function fromAuthMessage(auth: JobAuth | null | undefined): JobAuth {
  const { basic, authorization, oauth2, tls, proxy } = own(auth ?? {});
  return {
    ...(basic && {
      basic: { username: fromCredential(basic.username), password: fromCredential(basic.password) },
    }),
    ...(authorization && {
      authorization: { type: authorization.type, credentials: fromCredential(authorization.credentials) },
    }),
    ...(oauth2 && { oauth2: fromOAuth2(oauth2) }),
    ...(tls && { tls: fromTls(tls) }),
    ...(proxy && { proxy: fromProxy(proxy) }),
  };
}

function fromOAuth2(message: OAuth2Config): OAuth2Config {
  const { clientId, clientSecret, tokenUrl, scopes, endpointParams, tls, proxy } = own(message);
  return {
    clientId: fromCredential(clientId),
    clientSecret: fromCredential(clientSecret),
    tokenUrl,
    scopes: [...(scopes ?? [])],
    // Sorted, so that equal settings give equal bytes.
    endpointParams: Object.fromEntries(Object.entries(endpointParams ?? {}).toSorted()),
    ...(tls && { tls: fromTls(tls) }),
    ...(proxy && { proxy: fromProxy(proxy) }),
  };
}

function fromProxy(message: ProxyConfig): ProxyConfig {
  const { connectHeaders = [], ...rest } = own(message);
  const headers = connectHeaders.map(({ name, values }) => ({ name, values: values.map(fromCredential) }));
  return { ...rest, ...(headers.length > 0 && { connectHeaders: headers }) };
}

function fromTls(tls: NonNullable<JobAuth['tls']>): NonNullable<JobAuth['tls']> {
  const { ca, cert, key, ...rest } = own(tls);
  return {
    ...rest,
    ...(ca && { ca: fromCredential(ca) }),
    ...(cert && { cert: fromCredential(cert) }),
    ...(key && { key: fromCredential(key) }),
  };
}

function fromCredential(source: CredentialSource): CredentialSource {
  const { file, secret, value } = own(source) as { file?: string; secret?: SecretMessage; value?: string };
  if (file !== undefined) return { file };
  if (secret)
    return { secret: { kind: secret.kind, namespace: secret.namespace, name: secret.name, key: secret.key } };
  if (value !== undefined) return { value };
  throw new BadRequest('CredentialSource: none of file, secret and value is set');
}

type SecretMessage = Extract<CredentialSource, { secret: unknown }>['secret'];

/** The fields that were on the wire. */
function own<T extends object>(message: T): T {
  const set = Object.entries(message).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(set) as T;
}
