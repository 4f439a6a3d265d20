// What the samples of open chunks have in common, one object for all chunks that say the same.

import type { EncodedLayout } from '@flotilla/kernel';
import { loggedLayout } from '../wal/histogram-records.ts';
import { BitWriter } from './bit-writer.ts';
import { writeLayout } from './chunk-layout.ts';
import { bucketCount, type HistogramLayout } from './native-histogram.ts';

export interface SharedLayout extends HistogramLayout, EncodedLayout {}

/** As many as the instrumented libraries of a cluster have, and their changes while the head lasts. */
const LAYOUTS_MAX = 1 << 12;
const LAYOUT_BYTES_MAX = 1 << 10;
const layouts = new Map<string, SharedLayout>();

/** The same object for all layouts that say the same, as far as they are remembered. */
export function sharedLayout(layout: HistogramLayout): SharedLayout {
  const out = new BitWriter();
  writeLayout(out, layout);
  const bytes = out.bytes();
  if (bytes.length > LAYOUT_BYTES_MAX) return encoded(layout, bytes, out.bitLength);
  // No layout's bits begin with those of another: padded with zeros they are its name.
  const key = Buffer.from(bytes.buffer).toString('latin1');
  const known = layouts.get(key);
  if (known !== undefined) return known;
  if (layouts.size === LAYOUTS_MAX) layouts.clear();
  const shared = encoded(layout, bytes, out.bitLength);
  layouts.set(key, shared);
  return shared;
}

function encoded(layout: HistogramLayout, bytes: Uint8Array, bits: number): SharedLayout {
  const { schema, zeroThreshold, positiveSpans, negativeSpans, customBounds } = layout;
  return {
    ...{ schema, zeroThreshold, positiveSpans, negativeSpans, customBounds, bytes, bits },
    ...loggedLayout(layout),
    positiveBuckets: bucketCount(positiveSpans),
    negativeBuckets: bucketCount(negativeSpans),
  };
}
