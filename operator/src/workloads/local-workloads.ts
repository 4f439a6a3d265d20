// Workloads as processes of this machine: written down for the supervisor (`flotilla up`), which runs them.
// A process gets a free port once and keeps it, so that everyone finds it again after a restart.

import { freePort, writeFileAtomic } from '@flotilla/chassis';
import { LOCAL_PATHS } from '@flotilla/wire';
import type { LocalProcess, LocalWorkloads } from '@flotilla/wire';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FleetSpec } from '../discovery/fleet-spec.ts';
import type { Reader } from '../topology/readers.ts';
import type { Readiness, WorkloadAddress, Workloads, WorkloadSpec } from './workloads.ts';

export interface LocalWorkloadsOptions {
  readonly data: string;
  readonly fleet: string;
  /** host:port of the first querier. */
  readonly querierListen: string;
  readonly operatorUrl: string;
}

export class ProcessWorkloads implements Workloads {
  readonly #options: LocalWorkloadsOptions;
  readonly #path: string;
  readonly #urls = new Map<string, string>();
  #written = '';
  #readers: readonly Reader[] = [];

  constructor(options: LocalWorkloadsOptions) {
    this.#options = options;
    this.#path = join(options.data, LOCAL_PATHS.workloads);
    for (const { name, url } of this.#read()) this.#urls.set(name, url);
  }

  async apply(_fleet: FleetSpec, specs: readonly WorkloadSpec[]): Promise<readonly WorkloadAddress[]> {
    const addresses: WorkloadAddress[] = [];
    for (const spec of specs) addresses.push({ name: spec.name, url: await this.#urlOf(spec) });
    const querierUrls = specs.flatMap(({ binary }, index) =>
      binary === 'querier' ? [addresses[index]!.url] : [],
    );
    const processes = specs.map((spec, index) => this.#process(spec, addresses[index]!.url, querierUrls));
    const workloads: LocalWorkloads = { version: 1, processes };
    const text = `${JSON.stringify(workloads, undefined, 2)}\n`;
    if (text !== this.#written) await writeFileAtomic(this.#path, text);
    this.#written = text;
    this.#readers = addresses.filter((_, index) => specs[index]!.binary === 'querier');
    return addresses;
  }

  addresses(_fleet: FleetSpec, specs: readonly WorkloadSpec[]): readonly WorkloadAddress[] {
    return specs.map(({ name }) => ({ name, url: this.#urls.get(name) ?? '' }));
  }

  readers(): readonly Reader[] {
    return this.#readers;
  }

  /** They watch the file. */
  async tellReaders(): Promise<void> {}

  /** The supervisor knows; its Pod manifests are not read for this. */
  readiness(): ReadonlyMap<string, Readiness> {
    return new Map();
  }

  async stop(): Promise<void> {}

  #read(): readonly LocalProcess[] {
    if (!existsSync(this.#path)) return [];
    return (JSON.parse(readFileSync(this.#path, 'utf8')) as LocalWorkloads).processes;
  }

  async #urlOf({ name, binary, replica }: WorkloadSpec): Promise<string> {
    if (binary === 'querier' && replica === 0) return `http://${this.#options.querierListen}`;
    const known = this.#urls.get(name);
    if (known !== undefined) return known;
    const { querierListen, operatorUrl } = this.#options;
    const taken = [`http://${querierListen}`, operatorUrl, ...this.#urls.values()];
    const url = `http://127.0.0.1:${await freePort(taken.map((one) => Number(new URL(one).port)))}`;
    this.#urls.set(name, url);
    return url;
  }

  #process(spec: WorkloadSpec, url: string, querierUrls: readonly string[]): LocalProcess {
    const { name, binary } = spec;
    const flags = { ...spec.flags, ...this.#placeFlags(spec, url, querierUrls) };
    const args = Object.entries(flags).flatMap(([flag, value]) =>
      [value].flat().map((one) => `--${flag}=${one}`),
    );
    return { name, binary, args, url, labels: this.#labels(spec) };
  }

  /** Flags that say where things are. */
  #placeFlags(
    { name, binary }: WorkloadSpec,
    url: string,
    querierUrls: readonly string[],
  ): Record<string, string | readonly string[]> {
    const { data, operatorUrl } = this.#options;
    const listen = { 'web.listen-address': new URL(url).host };
    const storage = { 'storage.path': join(data, name) };
    const topology = { 'topology.file': join(data, LOCAL_PATHS.topology) };
    switch (binary) {
      case 'scraper':
        return { ...listen, ...storage, 'operator.url': operatorUrl };
      case 'querier':
        return { ...listen, ...topology };
      case 'ruler': {
        const external = querierUrls[0] === undefined ? {} : { 'query.external-url': querierUrls[0] };
        return {
          ...listen,
          ...storage,
          ...external,
          'query.url': querierUrls,
          'operator.url': operatorUrl,
          'rules.dir': join(data, name, 'rules'),
        };
      }
    }
  }

  #labels({ binary, shard, replica }: WorkloadSpec): Record<string, string> {
    return {
      'app.kubernetes.io/name': 'flotilla',
      'app.kubernetes.io/component': binary,
      'flotilla.dev/fleet': this.#options.fleet,
      ...(binary === 'scraper' && { 'flotilla.dev/shard': `${shard}` }),
      'flotilla.dev/replica': `${replica}`,
    };
  }
}
