// Hot: rows of native histograms in an answer, once per histogram.
//
// What a bucket prints before its count is made once per answer and has a number from then on, by which the kernel's
// writer knows it. Histograms of a row mostly have the same buckets, and then share a list of such numbers.

import { bucketAt, bucketCount, bucketJsonHead, sameNumbers } from '@flotilla/model';
import type { FloatHistogram } from '@flotilla/model';
import { JsonWriter } from '@flotilla/promql';
import type { HistogramPoint } from '@flotilla/promql';

/** Of the zero bucket; those of others are whole numbers. */
const zeroKey = 0.5;

export class HistogramRows {
  readonly #writer: JsonWriter;
  /** By what bounds depend on, then by bucket: numbers of texts. There are never more than the writer knows. */
  #texts = new Map<string, Map<number, number>>();
  #textCount = 0;
  /** Whose buckets from `#from` on have `#numbers`. */
  #example: FloatHistogram | undefined;
  #from = 0;
  #numbers: readonly number[] = [];
  readonly #counts = new Float64Array(JsonWriter.bucketsMax);

  constructor(writer: JsonWriter) {
    this.#writer = writer;
  }

  /** `[1.5,{"count":"1",…}],[2.5,{…}]`, of one histogram at least; yields whenever the writer is full. */
  *write(points: readonly HistogramPoint[]): Generator<undefined> {
    this.#writer.beginRow();
    for (const { timeMs, histogram } of points) {
      if (this.#writer.isFull) yield;
      this.#writer.histogram(timeMs, histogram.count, histogram.sum);
      const total = bucketCount(histogram);
      for (let from = 0; from < total; from += JsonWriter.bucketsMax) {
        if (from > 0 && this.#writer.isFull) yield;
        this.#writeBuckets(histogram, from, Math.min(total, from + JsonWriter.bucketsMax));
      }
    }
    this.#writer.endHistograms();
  }

  #writeBuckets(h: FloatHistogram, from: number, to: number): void {
    if (this.#from !== from || this.#example === undefined || !sameLayout(this.#example, h)) {
      this.#numbers = this.#numbersOf(h, from, to);
      this.#from = from;
    }
    this.#example = h;
    copyCounts(h, from, to, this.#counts);
    this.#writer.buckets(this.#numbers, this.#counts, to - from);
  }

  #numbersOf(h: FloatHistogram, from: number, to: number): number[] {
    if (this.#textCount + to - from > JsonWriter.bucketTextsMax) this.#forget();
    const key = `${h.schema} ${h.zeroThreshold} ${h.customBounds.join(' ')}`;
    let texts = this.#texts.get(key);
    if (texts === undefined) this.#texts.set(key, (texts = new Map<number, number>()));
    const numbers: number[] = [];
    for (let place = from; place < to; place++) {
      const bucket = bucketKey(h, place);
      let number = texts.get(bucket);
      if (number === undefined) {
        texts.set(bucket, (number = this.#writer.learnBucket(bucketJsonHead(bucketAt(h, place)))));
        this.#textCount++;
      }
      numbers.push(number);
    }
    return numbers;
  }

  #forget(): void {
    this.#writer.forgetBuckets();
    this.#texts = new Map();
    this.#textCount = 0;
  }
}

/** Whether the buckets of both have the same bounds. */
function sameLayout(a: FloatHistogram, b: FloatHistogram): boolean {
  return (
    a.schema === b.schema &&
    a.zeroThreshold === b.zeroThreshold &&
    a.zeroCount > 0 === b.zeroCount > 0 &&
    sameNumbers(a.positive.indexes, b.positive.indexes) &&
    sameNumbers(a.negative.indexes, b.negative.indexes) &&
    sameNumbers(a.customBounds, b.customBounds)
  );
}

/** Of the bucket at a place of all, as bucketAt has them: even for positive ones, odd for negative ones. */
function bucketKey({ negative, zeroCount, positive }: FloatHistogram, place: number): number {
  const above = place - negative.indexes.length;
  if (above < 0) return negative.indexes[-1 - above]! * 2 + 1;
  if (zeroCount > 0) return above === 0 ? zeroKey : positive.indexes[above - 1]! * 2;
  return positive.indexes[above]! * 2;
}

/** The counts of the buckets at places [from, to) of all. */
function copyCounts(
  { negative, zeroCount, positive }: FloatHistogram,
  from: number,
  to: number,
  out: Float64Array,
): void {
  const negatives = negative.indexes.length;
  const firstPositive = negatives + (zeroCount > 0 ? 1 : 0);
  let next = 0;
  let place = from;
  for (const end = Math.min(to, negatives); place < end; place++) {
    out[next++] = negative.counts[negatives - 1 - place]!;
  }
  for (const end = Math.min(to, firstPositive); place < end; place++) out[next++] = zeroCount;
  const { counts } = positive;
  for (; place < to; place++) out[next++] = counts[place - firstPositive]!;
}
