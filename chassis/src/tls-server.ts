// An HTTPS server whose certificate and client rules follow the web configuration file.

import { X509Certificate } from 'node:crypto';
import type { RequestListener, ServerOptions } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { TLSSocket } from 'node:tls';
import type { TlsConfig } from './web-config.ts';

/** Asks `current` on each new connection. */
export function createTlsServer(
  limits: ServerOptions,
  current: () => TlsConfig,
  listener: RequestListener,
): Server {
  let applied = current();
  const server = createServer({ ...limits, ...applied.context, ...clientRules(applied) }, listener);
  const refresh = (): void => {
    const config = current();
    if (config === applied) return;
    applied = config;
    server.setSecureContext(config.context);
    Object.assign(server, clientRules(config));
  };
  // Before node's own listener, which takes the context for this connection.
  server.prependListener('connection', refresh);
  server.prependListener('secureConnection', (socket) => {
    if (!isClientAllowed(socket, applied)) socket.destroy();
  });
  return server;
}

function clientRules({ clientAuth }: TlsConfig): { requestCert: boolean; rejectUnauthorized: boolean } {
  return {
    requestCert: clientAuth !== 'NoClientCert',
    rejectUnauthorized: clientAuth === 'RequireAndVerifyClientCert',
  };
}

/** The rules that node has no option for. */
function isClientAllowed(socket: TLSSocket, { clientAuth, clientAllowedSans }: TlsConfig): boolean {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return !clientAuth.startsWith('Require');
  if (clientAuth.includes('Verify') && !socket.authorized) return false;
  if (clientAllowedSans.length === 0 || !clientAuth.includes('Verify')) return true;
  const names = subjectAltNames(certificate);
  return clientAllowedSans.some((name) => names.includes(name));
}

/** DNS names, addresses, e-mails and URIs, without their kind. Node quotes unusual values as JSON. */
export function subjectAltNames(certificate: X509Certificate): string[] {
  const entries = certificate.subjectAltName?.match(/[^:,]+:("(?:[^"\\]|\\.)*"|[^,]*)/g) ?? [];
  return entries.map((entry) => {
    const value = entry.slice(entry.indexOf(':') + 1);
    return value.startsWith('"') ? (JSON.parse(value) as string) : value;
  });
}
