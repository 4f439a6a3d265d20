// Which proxy a request goes through, as Go's http.ProxyURL and golang.org/x/net/http/httpproxy decide it for Prometheus.

import { BlockList, isIP } from 'node:net';

export interface ProxyChoice {
  readonly url?: string;
  /** Hosts, domains and CIDRs, separated by commas, that are asked without the proxy. */
  readonly noProxy?: string;
  /** Takes HTTP_PROXY, HTTPS_PROXY and NO_PROXY instead. */
  readonly fromEnvironment?: boolean;
}

/** The proxy's URL for `target`; '' for none. With a list of exceptions, this machine itself is one, too. */
export function proxyUrlFor(
  target: URL,
  { url = '', noProxy = '', fromEnvironment = false }: ProxyChoice,
  environment: NodeJS.ProcessEnv = process.env,
): string {
  if (!fromEnvironment && noProxy === '') return url;
  const read = (name: string): string =>
    environment[name.toUpperCase()] ?? environment[name.toLowerCase()] ?? '';
  const chosen = fromEnvironment ? read(target.protocol === 'https:' ? 'https_proxy' : 'http_proxy') : url;
  const exceptions = fromEnvironment ? read('no_proxy') : noProxy;
  if (chosen === '' || isExcepted(target, exceptions)) return '';
  return chosen.includes('://') ? chosen : `http://${chosen}`;
}

function isExcepted(target: URL, exceptions: string): boolean {
  const host = target.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  if (host === 'localhost' || isLoopback(host)) return true;
  const port = target.port || (target.protocol === 'https:' ? '443' : '80');
  return exceptions
    .split(',')
    .map((one) => one.trim().toLowerCase())
    .some((one) => one !== '' && matches(one, host, port));
}

function isLoopback(host: string): boolean {
  return host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function matches(exception: string, host: string, port: string): boolean {
  if (exception === '*') return true;
  const [, network = '', bits = ''] = /^([0-9a-f.:]+)\/(\d+)$/.exec(exception) ?? [];
  if (isIP(network) > 0) return isWithin(host, network, Number(bits));
  const [, name = exception, wantedPort = ''] =
    isIP(exception) > 0 ? [] : (/^\[?(.*?)\]?(?::(\d+))?$/.exec(exception) ?? []);
  if (wantedPort !== '' && wantedPort !== port) return false;
  if (isIP(name) > 0) return name === host;
  const domain = name.replace(/^\*?\./, '');
  // `.example.com` means what is below it only; `example.com` means itself, too.
  return host.endsWith(`.${domain}`) || (name === domain && host === domain);
}

function isWithin(host: string, network: string, bits: number): boolean {
  const family = isIP(network) === 4 ? 'ipv4' : 'ipv6';
  if (isIP(host) !== isIP(network) || bits > (family === 'ipv4' ? 32 : 128)) return false;
  const list = new BlockList();
  list.addSubnet(network, bits, family);
  return list.check(host, family);
}
