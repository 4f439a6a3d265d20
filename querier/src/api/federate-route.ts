// GET /federate: the latest sample of each series that match[] names, in Prometheus's text format.

import { ApiError, Router } from '@flotilla/chassis';
import type { Request, Response } from '@flotilla/chassis';
import {
  compareUtf8,
  formatGoG,
  isStale,
  isValidLegacyLabelName,
  isValidLegacyMetricName,
} from '@flotilla/model';
import { Labels, METRIC_NAME } from '@flotilla/model';
import type { MemoryBudget, Series } from '@flotilla/promql';
import { MergedStorage } from '../stores/merged-storage.ts';
import { requestSignal } from './answer.ts';
import { Params } from './params.ts';
import { RequestView } from './query-service.ts';
import type { QueryService } from './query-service.ts';

const bytesMax = 512 << 20;

interface LatestSample {
  readonly labels: Labels;
  readonly timeMs: number;
  readonly value: number;
}

export function federateRoute(service: QueryService): Router {
  const router = Router();
  router.get('/federate', (request, response) => federate(service, request, response));
  return router;
}

async function federate(service: QueryService, request: Request, response: Response): Promise<void> {
  const params = new Params(request);
  const sets = matcherSets(params, response);
  if (sets === undefined) return;
  const signal = requestSignal(response, service.timeoutMs);
  const view = new RequestView(service, params, signal);
  const storage = new MergedStorage(view.fanOut, { dedup: true });
  const endMs = Date.now();
  const hints = { startMs: endMs - service.lookbackMs, endMs, stepMs: 0, rangeMs: 0, ...noFunction };
  const found = new Map<string, LatestSample>();
  for (const matchers of sets) {
    const { series } = await storage.select(matchers, hints, { signal, budget: makeBudget() });
    for (const one of series) addLatest(found, one);
  }
  view.notes(response);
  const utf8 = /escaping=allow-utf-8/.test(request.get('accept') ?? '');
  const escaping = utf8 ? 'allow-utf-8' : 'underscores';
  response.setHeader('Content-Type', `text/plain; version=0.0.4; charset=utf-8; escaping=${escaping}`);
  response.send(expositionText([...found.values()], utf8));
}

/** Answers a bad match[] as Prometheus does here: with plain text. */
function matcherSets(params: Params, response: Response): ReturnType<Params['matcherSets']> | undefined {
  try {
    return params.matcherSets();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    response.status(400).type('text/plain').send(`${error.message}\n`);
    return undefined;
  }
}

const noFunction = { func: '', grouping: [], by: false } as const;

function makeBudget(): MemoryBudget {
  let held = 0;
  return {
    take(bytes) {
      held += bytes;
      if (held > bytesMax)
        throw new ApiError(
          'execution',
          `federate: ${held} bytes, want at most ${bytesMax}: a narrower match[]`,
        );
    },
    give(bytes) {
      held -= bytes;
    },
  };
}

function addLatest(
  found: Map<string, LatestSample>,
  { labels, timestampsMs, values, histograms }: Series,
): void {
  const last = values.length - 1;
  // The text format has neither stale markers nor native histograms.
  if (last < 0 || isStale(values, last) || histograms?.[last] !== undefined) return;
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
