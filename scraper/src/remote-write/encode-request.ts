// Hot: one request of a window as bytes, compressed.

import { compressSnappy } from '@flotilla/kernel';
import { METRIC_NAME } from '@flotilla/model';
import type { TailBatch } from '@flotilla/tsdb';
import type { RemoteMetadata, RemoteWriteEncoder } from '@flotilla/wire';
import { exemplarOf, histogramOf, kindOf, refOf, type SeriesOf, type WriteRequest } from './plan-window.ts';
import { DROPPED } from './series-cache.ts';

export type MetadataOf = (metric: string) => RemoteMetadata | undefined;

/** A copy. */
export function encodeRequest(
  encoder: RemoteWriteEncoder,
  batch: TailBatch,
  { items }: WriteRequest,
  seriesOf: SeriesOf,
  metadataOf: MetadataOf,
): Uint8Array {
  const words = new Uint32Array(batch.values.buffer);
  let openRef = -1;
  let hasFloats = false;
  for (const item of items) {
    const ref = refOf(batch, item);
    const kind = kindOf(batch, item);
    const isHistogram = kind === 'histograms';
    // A series of 2.0 has floats or histograms.
    if (ref !== openRef || (isHistogram && hasFloats)) {
      if (openRef >= 0) encoder.endSeries();
      const series = seriesOf(ref);
      if (series === undefined || series === DROPPED)
        throw new Error(`remote write: series ${ref} is not planned`);
      encoder.beginSeries(series, metadataOf(series.labels.get(METRIC_NAME)));
      openRef = ref;
      hasFloats = false;
    }
    if (kind === 'samples') {
      hasFloats = true;
      encoder.sample(batch.timesMs[item]!, words[2 * item]!, words[2 * item + 1]!);
    } else if (kind === 'exemplars') encoder.exemplar(exemplarOf(batch, item).exemplar);
    else {
      const { timeMs, histogram } = histogramOf(batch, item);
      encoder.histogram(timeMs, histogram);
    }
  }
  if (openRef >= 0) encoder.endSeries();
  return compressSnappy(encoder.finish());
}
