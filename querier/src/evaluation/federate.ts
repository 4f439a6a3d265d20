// The latest sample of each series that a federation asks for, in Prometheus's text format; in a worker.

import {
  compareUtf8,
  formatGoG,
  isStale,
  isValidLegacyLabelName,
  isValidLegacyMetricName,
  Labels,
  METRIC_NAME,
} from '@flotilla/model';
import { makeBudget } from '@flotilla/promql';
import type { Series } from '@flotilla/promql';
import { MergedStorage } from '../stores/merged-storage.ts';
import type { JobContext } from './job-context.ts';
import type { FederateJob } from './jobs.ts';
import { parseMatcherSets } from './query-texts.ts';

const bytesMax = 512 << 20;

interface LatestSample {
  readonly labels: Labels;
  readonly timeMs: number;
  readonly value: number;
}

/** A bad selector is the only bad_data here. */
export async function federate({ selectors, utf8 }: FederateJob, context: JobContext): Promise<void> {
  const { view, signal, sink, lookbackMs } = context;
  const storage = new MergedStorage(view.fanOut, { dedup: true });
  const endMs = Date.now();
  const hints = {
    startMs: endMs - lookbackMs,
    endMs,
    stepMs: 0,
    rangeMs: 0,
    latestOnly: true,
    ...noFunction,
  };
  const found = new Map<string, LatestSample>();
  for (const matchers of parseMatcherSets(selectors, false)) {
    const { series } = await storage.select(matchers, hints, {
      signal,
      budget: makeBudget('federate', bytesMax),
    });
    for (const one of series) addLatest(found, one);
  }
  view.release();
  context.notes();
  const escaping = utf8 ? 'allow-utf-8' : 'underscores';
  sink.begin({
    headers: { 'Content-Type': `text/plain; version=0.0.4; charset=utf-8; escaping=${escaping}` },
  });
  sink.end(Buffer.from(expositionText([...found.values()], utf8)));
}

const noFunction = { func: '', grouping: [], by: false } as const;

function addLatest(
  found: Map<string, LatestSample>,
  { labels, timestampsMs, values, histograms }: Series,
): void {
  const last = values.length - 1;
  // The text format has neither stale markers nor native histograms.
  if (last < 0 || isStale(values, last) || histograms?.at(last) !== undefined) return;
  found.set(labels.key, { labels, timeMs: timestampsMs[last]!, value: values[last]! });
}

/** Samples by metric, each metric under its type, which is not known here. */
function expositionText(samples: readonly LatestSample[], utf8: boolean): string {
  const nameOf = ({ labels }: LatestSample): string => labels.get(METRIC_NAME);
  const sorted = samples
    .filter((sample) => nameOf(sample) !== '')
    .toSorted((a, b) => compareUtf8(nameOf(a), nameOf(b)));
  let text = '';
  let metric = '';
  for (const sample of sorted) {
    if (nameOf(sample) !== metric) {
      metric = nameOf(sample);
      text += `# TYPE ${printedName(metric, utf8, isValidLegacyMetricName)} untyped\n`;
    }
    text += `${sampleText(sample, utf8)}\n`;
  }
  return text;
}

function sampleText({ labels, timeMs, value }: LatestSample, utf8: boolean): string {
  const metric = labels.get(METRIC_NAME);
  const quoted = utf8 && !isValidLegacyMetricName(metric);
  const pairs = quoted ? [`"${escapeValue(metric)}"`] : [];
  for (const [name, text] of labels) {
    if (name === METRIC_NAME) continue;
    pairs.push(`${printedName(name, utf8, isValidLegacyLabelName)}="${escapeValue(text)}"`);
  }
  // So that whoever scrapes this adds no instance of its own.
  if (labels.get('instance') === '') pairs.push('instance=""');
  const name = quoted ? '' : printedName(metric, utf8, isValidLegacyMetricName);
  return `${name}{${pairs.join(',')}} ${value === 0 ? '0' : formatGoG(value)} ${timeMs}`;
}

/** A name as the format has it: quoted, or with underscores for what it could not have before Prometheus 3. */
function printedName(name: string, utf8: boolean, isLegacy: (name: string) => boolean): string {
  if (isLegacy(name)) return name;
  if (utf8) return `"${escapeValue(name)}"`;
  return Array.from(name, (char, i) =>
    /[a-zA-Z_:]/.test(char) || (i > 0 && /\d/.test(char)) ? char : '_',
  ).join('');
}

function escapeValue(text: string): string {
  return text
    .replaceAll('\\', String.raw`\\`)
    .replaceAll('\n', String.raw`\n`)
    .replaceAll('"', String.raw`\"`);
}
