// A real Prometheus that scrapes each case as a target of its own, and what it has of them afterwards.

import { freePort } from '@flotilla/chassis';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { jobs, type ScrapeCase } from './cases.ts';
import { readFailures } from './failure-record.ts';

/** What a system has of a case: its error, and the last sample of each live series. */
export interface Scraped {
  readonly error: string;
  /** Labels as sorted JSON, without those of the target → the value as the API writes it. */
  readonly series: Readonly<Record<string, string>>;
  /** Metric → what is said of it. */
  readonly metadata: Readonly<Record<string, Metadata>>;
  /** Labels as in `series` → labels, value, and time unless it is that of a scrape. */
  readonly exemplars: Readonly<Record<string, readonly string[]>>;
}

interface Metadata {
  readonly type: string;
  readonly help: string;
  readonly unit: string;
}

interface MetadataAnswer {
  readonly data: readonly (Metadata & {
    readonly metric: string;
    readonly target: Readonly<Record<string, string>>;
  })[];
}

interface VectorAnswer {
  readonly data: {
    readonly result: readonly {
      readonly metric: Readonly<Record<string, string>>;
      readonly value?: readonly [number, string];
      readonly histogram?: readonly [number, object];
    }[];
  };
}

/** Of query_exemplars. */
export interface ExemplarsAnswer {
  readonly data: readonly {
    readonly seriesLabels: Readonly<Record<string, string>>;
    readonly exemplars: readonly {
      readonly labels: Readonly<Record<string, string>>;
      readonly value: string;
      readonly timestamp: number;
    }[];
  }[];
}

interface TargetsAnswer {
  readonly data: {
    readonly activeTargets: readonly {
      readonly labels: Readonly<Record<string, string>>;
      readonly lastError: string;
    }[];
  };
}

const deadlineMs = 100_000;
export class RealPrometheus {
  readonly #dir = mkdtempSync(join(tmpdir(), 'flotilla-scrape-'));
  readonly #cases: readonly ScrapeCase[];
  readonly #served: number[];
  readonly #refused = new Set<number>();
  readonly #failureLog = join(this.#dir, 'failures.json');
  #isOpen = false;
  #targets: Server | undefined;
  #process: ChildProcess | undefined;
  #url = '';
  /** Label `instance` of all targets. */
  instance = '';

  constructor(cases: readonly ScrapeCase[]) {
    this.#cases = cases;
    this.#served = cases.map(() => 0);
  }

  /** Resolves when every case was scraped. */
  async scrapeAll(binary: string): Promise<void> {
    await this.#serve();
    const port = await freePort();
    this.#url = `http://127.0.0.1:${port}`;
    const file = join(this.#dir, 'prometheus.yml');
    writeFileSync(file, JSON.stringify(this.#config()));
    const args = [`--config.file=${file}`, `--storage.tsdb.path=${join(this.#dir, 'data')}`];
    args.push('--enable-feature=exemplar-storage');
    this.#process = spawn(binary, [...args, `--web.listen-address=127.0.0.1:${port}`], { stdio: 'ignore' });
    // The first scrape is refused, so that the database has a present before samples with times of their own come.
    await this.#until(() => this.#refused.size === this.#cases.length);
    this.#isOpen = true;
    await this.#until(() => this.#served.every((count, i) => count > this.#cases[i]!.bodies.length + 1));
  }

  async results(): Promise<Scraped[]> {
    const query = encodeURIComponent('{case!=""}');
    const vector = (await this.#get(`query?query=${query}`)) as VectorAnswer;
    const targets = (await this.#get('targets?state=active')) as TargetsAnswer;
    const said = (await this.#get('targets/metadata')) as MetadataAnswer;
    const metadata = this.#cases.map((): Record<string, Metadata> => ({}));
    for (const { target, metric, type, help, unit } of said.data)
      metadata[Number(target['case'])]![metric] = { type, help, unit };
    const series = this.#cases.map((): Record<string, string> => ({}));
    for (const { metric, value, histogram } of vector.data.result)
      series[Number(metric['case'])]![seriesKey(metric)] = value?.[1] ?? JSON.stringify(histogram![1]);
    const { data } = (await this.#get(`query_exemplars?query=${query}`)) as ExemplarsAnswer;
    const exemplars = this.#cases.map((): Record<string, string[]> => ({}));
    for (const { seriesLabels, exemplars: list } of data)
      exemplars[Number(seriesLabels['case'])]![seriesKey(seriesLabels)] = list.map((one) =>
        exemplarKey(one.labels, one.value, Math.round(one.timestamp * 1000)),
      );
    const errors = new Map(
      targets.data.activeTargets.map(({ labels, lastError }) => [Number(labels['case']), lastError]),
    );
    return series.map((of, i) => ({
      error: errors.get(i) ?? 'no such target',
      series: of,
      metadata: metadata[i]!,
      exemplars: exemplars[i]!,
    }));
  }

  /** Cases of which a scrape timed out, so that it is not known which pages were read: the machine was too busy. */
  gaveUp(): ReadonlySet<number> {
    const failures = [...readFailures([this.#failureLog])];
    const isTimeout = ({ message }: { readonly message: string }): boolean =>
      message.includes('context deadline exceeded');
    return new Set(failures.flatMap(([number, list]) => (list.some(isTimeout) ? [number] : [])));
  }

  async stop(): Promise<void> {
    this.#process?.kill('SIGKILL');
    this.#targets?.closeAllConnections();
    this.#targets?.close();
    await sleep(100);
    rmSync(this.#dir, { recursive: true, force: true });
  }

  async #serve(): Promise<void> {
    const server = createServer((request, response) => {
      const number = Number(request.url!.slice(1));
      const { contentType, bodies } = this.#cases[number]!;
      if (!this.#isOpen) {
        this.#refused.add(number);
        response.statusCode = 503;
        response.end();
        return;
      }
      const body = bodies[Math.min(this.#served[number]!++, bodies.length - 1)]!;
      // An empty one is none at all to Prometheus; Node adds none of its own.
      if (contentType !== '') response.setHeader('content-type', contentType);
      response.end(body);
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    this.#targets = server;
    this.instance = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  #config(): object {
    const targetsOf = (job: string): object[] =>
      this.#cases.flatMap((one, i) =>
        one.job === job
          ? [{ targets: [this.instance], labels: { case: `${i}`, __metrics_path__: `/${i}` } }]
          : [],
      );
    return {
      global: { scrape_interval: '4s', scrape_timeout: '4s', scrape_failure_log_file: this.#failureLog },
      scrape_configs: Object.entries(jobs).map(([job, settings]) => ({
        job_name: job,
        ...settings,
        static_configs: targetsOf(job),
      })),
    };
  }

  async #get(path: string): Promise<unknown> {
    return (await fetch(`${this.#url}/api/v1/${path}`)).json();
  }

  async #until(condition: () => boolean): Promise<void> {
    const endMs = Date.now() + deadlineMs;
    while (!condition()) {
      if (Date.now() > endMs) throw new Error(`prometheus: not all targets scraped in ${deadlineMs} ms`);
      await sleep(50);
    }
  }
}

export function exemplarKey(labels: Readonly<Record<string, string>>, value: string, timeMs: number): string {
  const isOfScrape = Math.abs(timeMs - Date.now()) < 60 * 60_000;
  return `${seriesKey(labels)} ${value} ${isOfScrape ? 'scrape' : timeMs}`;
}

export function seriesKey(metric: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(metric).filter(([name]) => !['case'].includes(name));
  return JSON.stringify(Object.fromEntries(pairs.toSorted(([a], [b]) => (a < b ? -1 : 1))));
}
