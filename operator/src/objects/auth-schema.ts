// How a scrape or a discovery shows who it is, and through what proxy it goes: the fields of monitoring.coreos.com.

import { z } from 'zod';
import { atomic, boolean, optional, stringMap, strings } from './schema-parts.ts';

const optionalText = (description: string) => optional(z.string(), description);

export const keySelector = atomic(
  z.strictObject({
    name: z.string().default('').describe('Name of the object, in the namespace of the monitor.'),
    key: z.string().describe('Key in it.'),
    optional: optional(boolean, 'Whether the object or the key may be missing.'),
  }),
);

const secretOrConfigMap = z.strictObject({
  secret: optional(keySelector, 'Key of a Secret.'),
  configMap: optional(keySelector, 'Key of a ConfigMap.'),
});
const tlsVersion = z.enum(['TLS10', 'TLS11', 'TLS12', 'TLS13']);

const safeTlsFields = {
  ca: optional(
    secretOrConfigMap,
    "Certificate authorities that the server's certificate must come from, in PEM.",
  ),
  cert: optional(secretOrConfigMap, 'Client certificate in PEM.'),
  keySecret: optional(keySelector, 'Private key of the client certificate, in PEM.'),
  serverName: optionalText("Name that the server's certificate must be for."),
  insecureSkipVerify: optional(boolean, "Takes any certificate of the server's."),
  minVersion: optional(tlsVersion, 'Lowest version of TLS.'),
  maxVersion: optional(tlsVersion, 'Highest version of TLS.'),
};
export const safeTls = z.strictObject(safeTlsFields);
export const fileTls = z.strictObject({
  ...safeTlsFields,
  caFile: optionalText('Like ca, from a file of the scraper.'),
  certFile: optionalText('Like cert, from a file of the scraper.'),
  keyFile: optionalText('Like keySecret, from a file of the scraper.'),
});
export type TlsSpec = z.output<typeof fileTls>;

export const proxyFields = {
  proxyUrl: optional(
    z.string().regex(/^(http|https|socks5):\/\/.+$/, 'want an http, https or socks5 URL'),
    'Proxy to go through.',
  ),
  noProxy: optionalText('Hosts, domains and CIDRs, separated by commas, that are asked without the proxy.'),
  proxyFromEnvironment: optional(boolean, 'Takes the proxy from HTTP_PROXY, HTTPS_PROXY and NO_PROXY.'),
  proxyConnectHeader: optional(
    atomic(z.record(z.string(), z.array(keySelector))),
    'Headers to send to the proxy with CONNECT.',
  ),
};

const oauth2 = z.strictObject({
  ...proxyFields,
  clientId: secretOrConfigMap.describe("Client's id."),
  clientSecret: keySelector.describe("Client's secret."),
  tokenUrl: z
    .string()
    .regex(/^(http|https):\/\/.+$/, 'want an http or https URL')
    .describe('Where tokens are asked for.'),
  scopes: optional(strings, 'Scopes to ask for.'),
  endpointParams: optional(stringMap, 'Parameters to add to the request for a token.'),
  tlsConfig: optional(safeTls, 'TLS with the server of tokens.'),
});
export type OAuth2Spec = z.output<typeof oauth2>;

const basicAuth = z.strictObject({
  username: optional(keySelector, 'Key of a Secret with the user name.'),
  password: optional(keySelector, 'Key of a Secret with the password.'),
});

export const authorization = z.strictObject({
  type: optionalText('Type of the credentials, "Bearer" when absent; never "Basic".'),
  credentials: optional(keySelector, 'Key of a Secret with the credentials.'),
});

/** Of a scrape class, which may name files of the scraper. */
export const fileAuthorization = authorization.extend({
  credentialsFile: optionalText('Like credentials, from a file of the scraper.'),
});

export const authFields = {
  basicAuth: optional(basicAuth, 'HTTP basic authentication.'),
  authorization: optional(authorization, 'Authorization header.'),
  oauth2: optional(oauth2, 'OAuth 2.0 with client credentials.'),
};

export const bearerTokenSecret = optional(
  keySelector,
  'Deprecated, use authorization: key of a Secret with a bearer token.',
);
export const bearerTokenFile = optionalText(
  'Deprecated, use authorization: file of the scraper with a bearer token.',
);

const auth = z.strictObject({
  ...authFields,
  ...proxyFields,
  bearerTokenSecret,
  bearerTokenFile,
  tlsConfig: fileTls.optional(),
});
export type AuthSpec = z.output<typeof auth>;
