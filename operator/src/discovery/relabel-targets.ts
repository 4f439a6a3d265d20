// From a discovered target to the one that is scraped: defaults, relabeling, URL, shard key. Prometheus's target creation.

import {
  compareUtf8,
  formatDuration,
  goQuote,
  Labels,
  LabelsBuilder,
  parseDuration,
  relabelSteps,
} from '@flotilla/model';
import type { TargetHistograms } from '@flotilla/wire';
import type { NamedRule, ScrapeJob } from '../monitors/scrape-job.ts';
import type { ExplainedTarget, ExplainStep, PoolTarget } from './findings.ts';

export interface RelabeledTarget {
  /** Undefined when it was dropped. */
  readonly target: PoolTarget | undefined;
  readonly droppedBy: number;
}

/** Throws RangeError when relabeling made an address, interval or timeout that is none. */
export function relabelTarget(scrape: ScrapeJob, discovered: Labels): RelabeledTarget {
  const { labels, droppedBy } = relabelSteps(
    withDefaults(scrape, discovered),
    scrape.rules.map(({ rule }) => rule),
  );
  if (labels === undefined) return { target: undefined, droppedBy };
  const address = labels.get('__address__');
  if (address === '') throw new RangeError('no address');
  if (address.includes('/')) throw new RangeError(`"${address}" is not a valid hostname`);
  return { target: makeTarget(scrape, labels, discovered), droppedBy: -1 };
}

/** The same with every step that changed something, for explain. */
export function explainTarget(scrape: ScrapeJob, discovered: Labels): ExplainedTarget {
  const { steps, droppedBy } = relabelSteps(
    withDefaults(scrape, discovered),
    scrape.rules.map(({ rule }) => rule),
  );
  const target = droppedBy < 0 ? targetOrNone(scrape, discovered) : undefined;
  const textOf = (index: number): ExplainStep => ({ rule: index + 1, text: ruleText(scrape.rules[index]) });
  let before = withDefaults(scrape, discovered);
  const changed = steps.filter(({ labels }) => {
    const isChanged = labels !== undefined && labels.key !== before.key;
    if (labels !== undefined) before = labels;
    return isChanged;
  });
  return {
    object: scrape.monitor,
    job: scrape.job.name,
    discovered: discovered.toRecord(),
    steps: changed.map(({ rule }) => textOf(rule)),
    ...(droppedBy >= 0 && { dropped: textOf(droppedBy) }),
    ...(target !== undefined && { target }),
  };
}

/** undefined for one that relabeling broke. */
function targetOrNone(scrape: ScrapeJob, discovered: Labels): PoolTarget | undefined {
  try {
    return relabelTarget(scrape, discovered).target;
  } catch {
    return undefined;
  }
}

function ruleText(rule: NamedRule | undefined): string {
  return rule?.text ?? '';
}

/** The labels that relabeling begins with: defaults are set only where discovery has not set them. */
export function withDefaults({ job, scheme, metricsPath, params }: ScrapeJob, discovered: Labels): Labels {
  const builder = new LabelsBuilder(discovered);
  const setDefault = (name: string, value: string): void => {
    if (!discovered.has(name)) builder.set(name, value);
  };
  setDefault('job', job.name);
  setDefault('__scheme__', scheme);
  setDefault('__metrics_path__', metricsPath);
  setDefault('__scrape_interval__', formatDuration(job.intervalMs));
  setDefault('__scrape_timeout__', formatDuration(job.timeoutMs));
  setDefault('__scrape_native_histograms__', `${job.scrapeNativeHistograms}`);
  setDefault('__always_scrape_classic_histograms__', `${job.alwaysScrapeClassicHistograms}`);
  setDefault('__convert_classic_histograms_to_nhcb__', `${job.convertClassicHistogramsToNhcb}`);
  for (const [name, [first = '']] of Object.entries(params)) setDefault(`__param_${name}`, first);
  return builder.labels();
}

function makeTarget(scrape: ScrapeJob, labels: Labels, discovered: Labels): PoolTarget {
  const address = labels.get('__address__');
  const { intervalMs, timeoutMs } = timesOf(labels);
  const histograms = histogramsOf(scrape, labels);
  const unixSocket = labels.get('__unix_socket__');
  const final = new LabelsBuilder(labels);
  if (!labels.has('instance')) final.set('instance', address);
  for (const [name] of labels) if (name.startsWith('__')) final.delete(name);
  return {
    labels: final.labels(),
    url: targetUrl(scrape, labels, address),
    intervalMs,
    timeoutMs,
    key: labels.get('__tmp_hash') || (scrape.isProbe && labels.get('__param_target')) || address,
    everyShard: labels.get('__tmp_disable_sharding') !== '',
    zone: zoneOf(discovered),
    discovered,
    ...(unixSocket !== '' && { unixSocket }),
    ...(histograms !== undefined && { histograms }),
  };
}

/** undefined when the labels say what the job says. */
function histogramsOf({ job }: ScrapeJob, labels: Labels): TargetHistograms | undefined {
  const histograms = {
    convertClassicHistogramsToNhcb:
      flagOf(labels, 'convert_classic_histograms_to_nhcb') ?? job.convertClassicHistogramsToNhcb,
    alwaysScrapeClassicHistograms:
      flagOf(labels, 'always_scrape_classic_histograms') ?? job.alwaysScrapeClassicHistograms,
    scrapeNativeHistograms: flagOf(labels, 'scrape_native_histograms') ?? job.scrapeNativeHistograms,
  };
  const names = Object.keys(histograms) as (keyof TargetHistograms)[];
  return names.every((name) => histograms[name] === job[name]) ? undefined : histograms;
}

/** As Go reads flags; undefined for none. */
function flagOf(labels: Labels, name: string): boolean | undefined {
  const text = labels.get(`__${name}__`);
  if (text === '') return undefined;
  if (/^(1|t|T|TRUE|true|True)$/.test(text)) return true;
  if (/^(0|f|F|FALSE|false|False)$/.test(text)) return false;
  const what = name.replaceAll('_', ' ');
  throw new RangeError(`error parsing ${what}: strconv.ParseBool: parsing ${goQuote(text)}: invalid syntax`);
}

/** Refusals have Prometheus's words. */
function timesOf(labels: Labels): { readonly intervalMs: number; readonly timeoutMs: number } {
  const intervalMs = timeOf(labels, 'interval');
  const timeoutMs = timeOf(labels, 'timeout');
  if (timeoutMs <= intervalMs) return { intervalMs, timeoutMs };
  const [timeout, interval] = [labels.get('__scrape_timeout__'), labels.get('__scrape_interval__')];
  throw new RangeError(
    `scrape timeout cannot be greater than scrape interval ("${timeout}" > "${interval}")`,
  );
}

function timeOf(labels: Labels, name: 'interval' | 'timeout'): number {
  const timeMs = durationOf(labels, name);
  if (timeMs === 0) throw new RangeError(`scrape ${name} cannot be 0`);
  return timeMs;
}

function durationOf(labels: Labels, name: 'interval' | 'timeout'): number {
  try {
    return parseDuration(labels.get(`__scrape_${name}__`));
  } catch (err) {
    throw new RangeError(`error parsing scrape ${name}: ${(err as Error).message}`, { cause: err });
  }
}

const zoneLabels = [
  '__meta_kubernetes_endpointslice_endpoint_zone',
  '__meta_kubernetes_pod_label_topology_kubernetes_io_zone',
  '__meta_kubernetes_node_label_topology_kubernetes_io_zone',
];

function zoneOf(discovered: Labels): string {
  return zoneLabels.map((name) => discovered.get(name)).find((zone) => zone !== '') ?? '';
}

/**
 * `__param_<name>` replaces the first value of a parameter; parameters are sorted. The text is Go's: a port that is the scheme's default stays,
 * and an address that is none is for the scrape to fail with.
 */
function targetUrl({ params }: ScrapeJob, labels: Labels, address: string): string {
  const values = new Map<string, readonly string[]>(Object.entries(params));
  for (const [name, value] of labels) {
    if (!name.startsWith('__param_')) continue;
    const param = name.slice('__param_'.length);
    values.set(param, [value, ...(values.get(param) ?? []).slice(1)]);
  }
  const query = [...values]
    .toSorted(([a], [b]) => compareUtf8(a, b))
    .flatMap(([name, list]) => list.map((value) => `${escapeQuery(name)}=${escapeQuery(value)}`));
  const path = escapePath(labels.get('__metrics_path__'));
  const search = query.length === 0 ? '' : `?${query.join('&')}`;
  return `${labels.get('__scheme__')}://${address}${path.startsWith('/') ? '' : '/'}${path}${search}`;
}

/** Go's url.QueryEscape. */
function escapeQuery(text: string): string {
  return percentEncode(text, /[A-Za-z0-9_.~-]/).replaceAll('%20', '+');
}

/** The path as Go's url.URL prints it. */
function escapePath(text: string): string {
  return percentEncode(text, /[A-Za-z0-9_.~$&+,/:;=@-]/);
}

function percentEncode(text: string, kept: RegExp): string {
  return Array.from(text)
    .map((char) => {
      if (kept.test(char)) return char;
      return [...Buffer.from(char)]
        .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
        .join('');
    })
    .join('');
}
