// Files and an HTTP server that ScrapeConfigs read their targets from.

import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { CertificatePair } from './credentials.ts';
import type { FeedPlaces } from './scrape-configs.ts';

const groups = [
  { targets: ['feed.example:1', 'feed.example:2'], labels: { __meta_shelf: 'upper', env: 'feed' } },
  { targets: ['feed.example:3', '[2001:db8::9]:80'], labels: { __scheme__: 'https', job: 'named-by-feed' } },
  { targets: [] },
];
const authorized = `Basic ${Buffer.from('admin:p:a ss"word').toString('base64')}`;

export interface Feeds extends FeedPlaces {
  close(): void;
}

export async function startFeeds(folder: string, { certificate, key }: CertificatePair): Promise<Feeds> {
  mkdirSync(folder);
  writeFileSync(join(folder, 'tls.crt'), certificate);
  writeFileSync(join(folder, 'tls.key'), key, { mode: 0o600 });
  writeFileSync(join(folder, 'targets.json'), JSON.stringify(groups));
  writeFileSync(
    join(folder, 'more-1.yaml'),
    '- targets: [more.example:1]\n- targets: [more.example:2]\n  labels: {env: "1"}\n',
  );
  writeFileSync(join(folder, 'more-2.yaml'), '- targets: [more.example:3]\n');
  writeFileSync(join(folder, 'other.yaml'), '- targets: [not.read:1]\n');
  const server = feedServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { folder, url: `http://127.0.0.1:${port}`, close };
}

function feedServer(): Server {
  return createServer(({ url, headers }, response) => {
    const isAllowed = url === '/targets' || (url === '/protected' && headers.authorization === authorized);
    response.writeHead(isAllowed ? 200 : 401, { 'content-type': 'application/json' });
    response.end(isAllowed ? JSON.stringify(groups) : '{}');
  });
}
