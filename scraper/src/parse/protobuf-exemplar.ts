// Exemplars of the exposition's protobuf.

import type { ExposedExemplarMessage, ExposedHistogram } from '@flotilla/wire';
import type { ExposedExemplar } from './exemplar.ts';
import { isText } from './exposed-text.ts';

/** Of native buckets; if it names none, of classic ones. */
export function nativeExemplars(histogram: ExposedHistogram): ExposedExemplar[] {
  if (histogram.exemplars.length === 0) return bucketExemplars(histogram);
  return histogram.exemplars.flatMap((one) => exposedExemplar(one));
}

export function bucketExemplars(histogram: ExposedHistogram | null | undefined): ExposedExemplar[] {
  return (histogram?.bucket ?? []).flatMap(({ exemplar }) => exposedExemplar(exemplar));
}

/** One or none; none if it says what is no text. */
export function exposedExemplar(message: ExposedExemplarMessage | null | undefined): ExposedExemplar[] {
  if (message === null || message === undefined) return [];
  const { label, value, timestamp } = message;
  const texts = label.flatMap((pair) => [pair.name, pair.value]);
  if (!texts.every(isText)) return [];
  const pairs = texts.map((text) => Buffer.from(text).toString('utf8'));
  return [{ pairs, value, timestampMs: timestamp ? timeOf(timestamp) : undefined }];
}

function timeOf({ seconds, nanos }: { readonly seconds: number; readonly nanos: number }): number {
  return seconds * 1000 + Math.trunc(nanos / 1e6);
}
