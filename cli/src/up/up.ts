// `flotilla up`: a fleet on this machine, from a folder of manifests.

import { freePort, isFree, processSettings, watchFile, writeFileAtomic } from '@flotilla/chassis';
import { LOCAL_PATHS } from '@flotilla/wire';
import type { LocalProcess, LocalWorkloads } from '@flotilla/wire';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lockDataFolder, prepareDataFolder } from './data-folder.ts';
import type { PartSpec } from './part.ts';
import { Supervisor } from './supervisor.ts';

export interface UpOptions {
  readonly folder: string;
  readonly data: string;
  /** host:port of the page. */
  readonly listen: string;
  readonly logLevel: string;
}

const rooms = fileURLToPath(new URL('../../../', import.meta.url));
const operatorName = 'operator-main-0';

/** Runs until SIGINT or SIGTERM; resolves when nothing is left behind. Throws when it cannot start. */
export async function up(options: UpOptions): Promise<void> {
  const folder = resolve(options.folder);
  const data = resolve(options.data);
  if (!existsSync(folder) || !statSync(folder).isDirectory())
    throw new Error(`${folder}: want a folder of manifests`);
  const release = lockDataFolder(data);
  try {
    await mustBeFree(options.listen);
    prepareDataFolder(data);
    await dropTakenPorts(data);
    await superviseUntilSignal({ ...options, folder, data });
  } finally {
    release();
  }
}

async function superviseUntilSignal(options: UpOptions): Promise<void> {
  const page = `http://${options.listen}`;
  let announced = false;
  const supervisor = new Supervisor(options.data, {
    ready: (spec, afterMs) => {
      print(`${spec.name.padEnd(20)} ${spec.url.padEnd(24)} ready after ${(afterMs / 1000).toFixed(1)} s`);
      if (announced || !supervisor.isReady || spec.name === operatorName) return;
      announced = true;
      print(`page                 ${page}`);
    },
    died: (spec, reason, restartInMs) =>
      print(`${spec.name.padEnd(20)} ended: ${reason}; restart in ${restartInMs} ms`),
  });
  const operator = await operatorPart(options);
  const applyWorkloads = (): Promise<void> => supervisor.apply([operator, ...workloadParts(options)]);
  await applyWorkloads();
  const stopWatching = watchFile(join(options.data, LOCAL_PATHS.workloads), applyWorkloads, { pollMs: 1000 });
  const signal = await nextSignal();
  print(`${signal}: stopping`);
  stopWatching();
  await supervisor.stop();
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function nextSignal(): Promise<string> {
  return new Promise((resolveSignal) => {
    process.once('SIGINT', () => resolveSignal('SIGINT'));
    process.once('SIGTERM', () => resolveSignal('SIGTERM'));
  });
}

/** The operator listens on a port that is chosen once, since the scrapers' arguments name it. */
async function operatorPart(options: UpOptions): Promise<PartSpec> {
  const path = join(options.data, LOCAL_PATHS.operator, 'address.json');
  const saved = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as { port: number }).port : 0;
  const taken = [options.listen, ...readWorkloads(options.data).map(({ url }) => new URL(url).host)].map(
    portOf,
  );
  const port = saved !== 0 && (await isUnused('127.0.0.1', saved)) ? saved : await freePort(taken);
  await writeFileAtomic(path, `${JSON.stringify({ port })}\n`);
  const args = [
    `--source.folder=${options.folder}`,
    `--source.folder=${join(options.data, LOCAL_PATHS.pods)}`,
    `--data=${options.data}`,
    `--querier.listen-address=${options.listen}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ];
  return {
    name: operatorName,
    command: command('operator', args, options),
    url: `http://127.0.0.1:${port}`,
    labels: {
      'app.kubernetes.io/name': 'flotilla',
      'app.kubernetes.io/component': 'operator',
      'flotilla.dev/fleet': 'main',
    },
  };
}

function workloadParts(options: UpOptions): PartSpec[] {
  return readWorkloads(options.data).map(({ name, binary, args, url, labels }) => ({
    name,
    command: command(binary, args, options),
    environment: processSettings(binary).environment,
    url,
    labels,
  }));
}

function command(binary: string, args: readonly string[], options: UpOptions): string[] {
  const token = `--internal.token-file=${join(options.data, LOCAL_PATHS.token)}`;
  const common = [token, `--log.level=${options.logLevel}`, '--process.exit-with-parent'];
  return [...processSettings(binary).nodeFlags, join(rooms, binary, 'dist/main.js'), ...args, ...common];
}

function readWorkloads(data: string): readonly LocalProcess[] {
  const path = join(data, LOCAL_PATHS.workloads);
  if (!existsSync(path)) return [];
  return (JSON.parse(readFileSync(path, 'utf8')) as LocalWorkloads).processes;
}

async function mustBeFree(listen: string): Promise<void> {
  const host = listen.slice(0, Math.max(listen.lastIndexOf(':'), 0));
  const port = portOf(listen);
  if (host === '' || !Number.isInteger(port) || port < 1 || port > 65535) {
    throw new Error(`--listen ${listen}: want host:port`);
  }
  if (!(await isUnused(host, port)))
    throw new Error(`--listen ${listen}: the port is in use, want a free one (--listen HOST:PORT)`);
}

/** Processes of an earlier run whose port someone else took meanwhile are forgotten, so that the operator picks anew. */
async function dropTakenPorts(data: string): Promise<void> {
  const kept: LocalProcess[] = [];
  for (const process of readWorkloads(data)) {
    const { hostname, port } = new URL(process.url);
    if (await isUnused(hostname, Number(port))) kept.push(process);
  }
  const workloads: LocalWorkloads = { version: 1, processes: kept };
  await writeFileAtomic(join(data, LOCAL_PATHS.workloads), `${JSON.stringify(workloads, undefined, 2)}\n`);
}

function portOf(listen: string): number {
  return Number(listen.slice(listen.lastIndexOf(':') + 1));
}

async function isUnused(host: string, port: number): Promise<boolean> {
  return !(await answers(host, port)) && isFree(host, port);
}

/** A listener on a wildcard address of another family does not always refuse ours. */
function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolveAnswer) => {
    const socket = connect({ host, port });
    const finish = (answer: boolean) => (): void => {
      socket.destroy();
      resolveAnswer(answer);
    };
    socket.once('connect', finish(true)).once('error', finish(false)).setTimeout(1000, finish(false));
  });
}
