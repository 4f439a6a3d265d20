// Delimited protobuf of one family of native histograms, as a service exposes them for the latency of each of its handlers.

import { encodeMetricFamily, type ExposedMetric } from '@flotilla/wire';
import type { Bodies } from './bodies.ts';

const histogramType = 4;
const schema = 3;
/** Of buckets in a row, and what lies between them and the one before, as latencies have them: most are near the median. */
const spans = [
  { offset: -18, length: 4 },
  { offset: 2, length: 16 },
  { offset: 3, length: 4 },
];
const buckets = spans.reduce((sum, { length }) => sum + length, 0);
/** Of the observations between two scrapes; the rest of the histograms stay as they are. */
const changingShare = 0.26;
const observationsMax = 40;

/** `series` histograms of `buckets` buckets each, by round. */
export function makeNativeBodies(series: number, roundCount: number, random: () => number): Bodies {
  const histograms = Array.from({ length: series }, (_, index) => new Latencies(index, random));
  const rounds = Array.from({ length: roundCount }, () => {
    for (const histogram of histograms) histogram.observe(random);
    return delimited(
      encodeMetricFamily({
        name: Buffer.from('http_request_duration_seconds'),
        help: Buffer.from('Time from request to answer.'),
        type: histogramType,
        metric: histograms.map((histogram) => histogram.message()),
        unit: new Uint8Array(0),
      }),
    );
  });
  return { rounds, generationsAt: rounds.map(() => []) };
}

class Latencies {
  readonly #label: ExposedMetric['label'];
  readonly #isChanging: boolean;
  readonly #counts: number[];
  #sum = 0;

  constructor(index: number, random: () => number) {
    const labels = { handler: `/api/${index % 40}`, code: '200', pod: `web-${index.toString(36)}-x7f9c` };
    this.#label = Object.entries(labels).map(([name, value]) => ({
      name: Buffer.from(name),
      value: Buffer.from(value),
    }));
    this.#isChanging = random() < changingShare;
    this.#counts = Array.from({ length: buckets }, () => Math.floor(random() * 1000));
  }

  observe(random: () => number): void {
    if (!this.#isChanging) return;
    for (let left = Math.floor(random() * observationsMax); left > 0; left--) {
      const bucket = Math.floor(((random() + random() + random()) / 3) * buckets);
      this.#counts[bucket]!++;
      this.#sum += random();
    }
  }

  message(): ExposedMetric {
    const counts = this.#counts;
    const histogram = {
      sampleCount: counts.reduce((sum, count) => sum + count, 0),
      sampleSum: this.#sum,
      schema,
      zeroThreshold: 2 ** -128,
      positiveSpan: spans,
      positiveDelta: counts.map((count, i) => count - (counts[i - 1] ?? 0)),
    };
    return {
      label: this.#label,
      histogram: histogram as unknown as NonNullable<ExposedMetric['histogram']>,
      timestampMs: 0,
    };
  }
}

function delimited(message: Uint8Array): Buffer {
  const length: number[] = [];
  let rest = message.length;
  for (; rest >= 0x80; rest >>>= 7) length.push((rest & 0x7f) | 0x80);
  return Buffer.concat([Buffer.from([...length, rest]), message]);
}
