// One API server with the world of a seed in it: what the tests of this folder begin with.

import { load } from 'js-yaml';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startApiServer } from './api-server.ts';
import type { ApiServer } from './api-server.ts';
import { ChildProcesses, repository } from './child-processes.ts';
import { pathOf } from './kube-client.ts';
import type { KubeClient, KubeObject } from './kube-client.ts';
import { certificatePair } from './world/credentials.ts';
import { startFeeds } from './world/feeds.ts';
import type { Feeds } from './world/feeds.ts';
import { monitorObjects } from './world/monitors.ts';
import { worldObjects } from './world/objects.ts';
import { Random } from './world/random.ts';

const seedDefault = 20_261;

export interface Binaries {
  /** Folder of etcd and kube-apiserver. */
  readonly cluster: string;
  readonly prometheusOperator: string;
  readonly prometheus: string;
  /** Folder of the Prometheus operator's own CRDs. */
  readonly crds: string;
}

export class TestWorld {
  readonly seed: number;
  readonly processes: ChildProcesses;
  readonly binaries: Binaries;
  readonly server: ApiServer;
  readonly feeds: Feeds;

  private constructor(
    seed: number,
    processes: ChildProcesses,
    binaries: Binaries,
    server: ApiServer,
    feeds: Feeds,
  ) {
    this.seed = seed;
    this.processes = processes;
    this.binaries = binaries;
    this.server = server;
    this.feeds = feeds;
  }

  /** Starts the API server and writes the objects, of the seed in FLOTILLA_SEED if that is set. */
  static async start(): Promise<TestWorld> {
    const seed = Number(process.env['FLOTILLA_SEED'] ?? seedDefault);
    const binaries = binariesFromEnvironment();
    const processes = new ChildProcesses();
    const certificates = certificatePair();
    const feeds = await startFeeds(join(processes.folder, 'feeds'), certificates);
    try {
      const server = await startApiServer(processes, binaries.cluster);
      await createCrds(server.client, binaries.crds);
      const random = new Random(seed);
      for (const objects of worldObjects(random, certificates)) await server.client.createAll(objects);
      await server.client.createAll(monitorObjects(random, feeds));
      return new TestWorld(seed, processes, binaries, server, feeds);
    } catch (error) {
      feeds.close();
      await processes.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.feeds.close();
    this.server.client.close();
    await this.processes.stop();
  }
}

function binariesFromEnvironment(): Binaries {
  const of = (name: string): string => {
    const value = process.env[name];
    if (value === undefined) throw new Error(`${name} is not set: run \`npm run conformance\``);
    return value;
  };
  const sources = of('FLOTILLA_PROMETHEUS_OPERATOR_SOURCES');
  return {
    cluster: of('FLOTILLA_CLUSTER_BINARIES'),
    prometheusOperator: of('FLOTILLA_PROMETHEUS_OPERATOR'),
    prometheus: of('FLOTILLA_PROMETHEUS'),
    crds: join(sources, 'example/prometheus-operator-crd'),
  };
}

const kinds = [
  'prometheuses',
  'servicemonitors',
  'podmonitors',
  'probes',
  'scrapeconfigs',
  'prometheusrules',
];

/** Theirs of the monitors, ours of the Fleet; resolves when the API server serves them. */
async function createCrds(client: KubeClient, theirs: string): Promise<void> {
  const files = [
    ...readdirSync(theirs)
      .filter((file) => kinds.some((kind) => file.endsWith(`_${kind}.yaml`)))
      .map((file) => join(theirs, file)),
    join(repository, 'crds/flotilla.dev_fleets.yaml'),
  ];
  const crds = files.map((file) => load(readFileSync(file, 'utf8')) as Crd);
  await client.createAll(crds);
  for (const crd of crds) await served(client, crd);
}

export interface Crd extends KubeObject {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string; readonly plural: string };
    readonly versions: readonly {
      readonly name: string;
      readonly schema: { readonly openAPIV3Schema: unknown };
    }[];
  };
}

async function served(client: KubeClient, { spec }: Crd): Promise<void> {
  const apiVersion = `${spec.group}/${spec.versions[0]!.name}`;
  const path = pathOf({ apiVersion, kind: spec.names.kind, metadata: { name: '' } });
  for (let tries = 0; ; tries++) {
    try {
      await client.get(path);
      return;
    } catch (error) {
      if (tries > 100) throw error;
      await sleep(100);
    }
  }
}
