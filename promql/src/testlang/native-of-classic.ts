// `load_with_nhcb`: native histograms with custom buckets, made from the classic ones that a statement loads.

import {
  CUSTOM_SCHEMA,
  FloatHistogram,
  type Labels,
  LabelsBuilder,
  METRIC_NAME,
  parseGoFloat,
} from '@flotilla/model';
import type { SeriesDescription } from './sequence.ts';

/** A classic histogram at one time. */
interface Classic {
  readonly buckets: Map<number, number>;
  count: number | undefined;
  sum: number;
}

export interface NativeSeries {
  readonly labels: Labels;
  /** By the place in the sequences of samples, rising. */
  readonly histograms: ReadonlyMap<number, FloatHistogram>;
}

/** One series for each classic histogram among the descriptions, under the name without its suffix. */
export function nativeOfClassic(descriptions: readonly SeriesDescription[]): NativeSeries[] {
  const found = new Map<string, { labels: Labels; classics: Map<number, Classic> }>();
  for (const { labels, items } of descriptions) {
    const suffix = /_(?:bucket|count|sum)$/.exec(labels.get(METRIC_NAME))?.[0];
    const bound = parseGoFloat(labels.get('le'));
    if (suffix === undefined || (suffix === '_bucket' && (bound === undefined || Number.isNaN(bound))))
      continue;
    const base = nativeLabels(labels, suffix);
    const own = found.get(base.key) ?? { labels: base, classics: new Map<number, Classic>() };
    found.set(base.key, own);
    items.forEach((item, i) => {
      if (item.kind === 'value') add(own.classics, i, suffix, bound, item.value);
    });
  }
  return Array.from(found.values(), ({ labels, classics }) => ({ labels, histograms: converted(classics) }));
}

function nativeLabels(labels: Labels, suffix: string): Labels {
  const name = labels.get(METRIC_NAME).slice(0, -suffix.length);
  return new LabelsBuilder(labels).set(METRIC_NAME, name).delete('le').labels();
}

function add(
  classics: Map<number, Classic>,
  at: number,
  suffix: string,
  bound: number | undefined,
  value: number,
): void {
  const classic = classics.get(at) ?? { buckets: new Map<number, number>(), count: undefined, sum: 0 };
  classics.set(at, classic);
  if (suffix === '_count') classic.count = value;
  else if (suffix === '_sum') classic.sum = value;
  else if (!classic.buckets.has(bound!)) classic.buckets.set(bound!, value);
}

function converted(classics: ReadonlyMap<number, Classic>): Map<number, FloatHistogram> {
  const rising = [...classics].toSorted(([a], [b]) => a - b);
  return new Map(rising.map(([at, classic]) => [at, convert(classic)]));
}

function convert({ buckets, count, sum }: Classic): FloatHistogram {
  const rising = [...buckets].toSorted(([a], [b]) => a - b);
  const total = count ?? rising.at(-1)?.[1] ?? 0;
  if (rising.at(-1)?.[0] !== Infinity) rising.push([Infinity, total]);
  const counts = rising.map(([, cumulative], i) => cumulative - (rising[i - 1]?.[1] ?? 0));
  if (counts.some((one) => one < 0))
    throw new SyntaxError('classic histogram: counts fall, want cumulative ones');
  return new FloatHistogram({
    schema: CUSTOM_SCHEMA,
    count: total,
    sum,
    customBounds: rising.map(([bound]) => bound).filter((bound) => bound !== Infinity),
    positive: { indexes: [...counts.keys()], counts },
  }).compact();
}
