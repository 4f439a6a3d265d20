// Hot: one request of a window as bytes, compressed.

import { compressSnappy } from '@flotilla/kernel';
import { METRIC_NAME } from '@flotilla/model';
import type { TailBatch } from '@flotilla/tsdb';
import type { RemoteMetadata, RemoteWriteEncoder } from '@flotilla/wire';
import { refOf, type SeriesOf, type WriteRequest } from './plan-window.ts';
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
  let openIsFloat = true;
  for (const item of items) {
    const ref = refOf(batch, item);
    const isFloat = item < batch.samples;
    if (ref !== openRef || isFloat !== openIsFloat) {
      if (openRef >= 0) encoder.endSeries();
      const series = seriesOf(ref);
      if (series === undefined || series === DROPPED)
        throw new Error(`remote write: series ${ref} is not planned`);
      encoder.beginSeries(series, metadataOf(series.labels.get(METRIC_NAME)));
      openRef = ref;
      openIsFloat = isFloat;
    }
    if (isFloat) encoder.sample(batch.timesMs[item]!, words[2 * item]!, words[2 * item + 1]!);
    else {
      const { timeMs, histogram } = batch.histograms[item - batch.samples]!;
      encoder.histogram(timeMs, histogram);
    }
  }
  if (openRef >= 0) encoder.endSeries();
  return compressSnappy(encoder.finish());
}
