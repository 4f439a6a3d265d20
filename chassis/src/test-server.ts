// For tests only: a real HttpServer on a free port, its log lines in memory, all ended by stopServers(); folders that go when the test's
// file ends.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';
import type { Express } from 'express';
import { createHttpServer, type HttpServer, type Listening } from './http-server.ts';
import { parseFlags } from './flags.ts';
import { createLogger, type Logger } from './logger.ts';
import { createMetrics } from './metrics.ts';
import { standardFlags } from './standard-flags.ts';

const servers: HttpServer[] = [];
const folders: string[] = [];
afterAll(() => folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true })));

export async function startServer(
  routes: (app: Express, server: HttpServer) => void = () => undefined,
  argv: readonly string[] = [],
): Promise<Listening & { server: HttpServer; lines: string[] }> {
  const lines: string[] = [];
  const log = memoryLogger(lines);
  const config = parseFlags(standardFlags, argv);
  const server = createHttpServer({ name: 'demo', config, log, metrics: createMetrics('demo') });
  routes(server.app, server);
  servers.push(server);
  return { ...(await server.listen()), server, lines };
}

export async function stopServers(): Promise<void> {
  await Promise.all(servers.splice(0).map((server) => server.close(0)));
}

export function memoryLogger(lines: string[]): Logger {
  return createLogger({ name: 'demo', level: 'debug', write: (line) => lines.push(line) });
}

/** Writes `files` into a new folder, removed when the test's file ends, and returns its path. */
export function folderOf(files: Readonly<Record<string, string>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-chassis-'));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

/** A promise that a test opens by hand. */
export function createGate(): { readonly opened: Promise<void>; open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open: () => open() };
}
