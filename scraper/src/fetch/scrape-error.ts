// Why a scrape failed, in the words that a user sees as lastError: Prometheus's and Go's where they have some.

const closedCodes: ReadonlySet<string> = new Set(['CONNECTION_CLOSED', 'UND_ERR_SOCKET']);

/** The text is complete: it names the URL where that helps. */
export class ScrapeError extends Error {
  override readonly name = 'ScrapeError';
}

/** A limit of the body was reached; counted apart. */
export class BodySizeError extends ScrapeError {
  constructor() {
    super('body size limit exceeded');
  }
}

export const DEADLINE_TEXT = 'context deadline exceeded';

const SYSTEM_TEXTS: Readonly<Record<string, string>> = {
  ENOENT: 'connect: no such file or directory',
  EACCES: 'connect: permission denied',
  ECONNREFUSED: 'connect: connection refused',
  ECONNRESET: 'read: connection reset by peer',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ETIMEDOUT: 'connect: connection timed out',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'server misbehaving',
  EPIPE: 'write: broken pipe',
  CERT_HAS_EXPIRED: 'tls: failed to verify certificate: certificate has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'tls: failed to verify certificate: x509: self-signed certificate',
  SELF_SIGNED_CERT_IN_CHAIN: 'tls: failed to verify certificate: x509: self-signed certificate in chain',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'tls: failed to verify certificate: x509: certificate signed by unknown authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    'tls: failed to verify certificate: x509: certificate signed by unknown authority',
};

/** `Get "http://host/metrics": dial tcp 127.0.0.1:1: connect: connection refused` for an error of the transport. */
export function transportError(url: URL, err: unknown): ScrapeError {
  if (err instanceof ScrapeError) return err;
  return new ScrapeError(`Get "${shownUrl(url)}": ${transportText(err)}`, { cause: err });
}

export function deadlineError(url: URL): ScrapeError {
  return new ScrapeError(`Get "${shownUrl(url)}": ${DEADLINE_TEXT}`);
}

/** Without a password. */
export function shownUrl(url: URL): string {
  if (url.password === '') return url.href;
  const shown = new URL(url);
  shown.password = 'xxxxx';
  return shown.href;
}

interface SystemError {
  readonly code?: string;
  readonly address?: string;
  readonly port?: number;
  readonly hostname?: string;
  readonly message?: string;
  readonly errors?: readonly SystemError[];
}

function transportText(err: unknown): string {
  const outer = err as SystemError;
  const { code = '', address, port, hostname, message = 'unknown error' } = outer.errors?.[0] ?? outer;
  if (/other side closed|closed before|SocketError/.test(message) || closedCodes.has(code)) return 'EOF';
  const text = SYSTEM_TEXTS[code] ?? tlsText(message) ?? message;
  if (address?.startsWith('/')) return `dial unix ${address}: ${text}`;
  if (address !== undefined) return `dial tcp ${hostPort(address, port)}: ${text}`;
  if (hostname !== undefined) return `dial tcp: lookup ${hostname}: ${text}`;
  return text;
}

/** OpenSSL's `…:error:0A00010B:SSL routines:tls_validate_record_header:wrong version number:../deps/…` for people. */
function tlsText(message: string): string | undefined {
  const reason = /:SSL routines:[^:]*:([^:]+)/.exec(message)?.[1];
  if (reason === 'wrong version number') return 'tls: first record does not look like a TLS handshake';
  return reason === undefined ? undefined : `tls: ${reason}`;
}

function hostPort(address: string, port: number | undefined): string {
  const host = address.includes(':') ? `[${address}]` : address;
  return port === undefined ? host : `${host}:${port}`;
}
