// Appends what was pushed to this replica's database, by Prometheus's rules: 1.0 takes a request whole or not at all, 2.0 what
// is good of it.

import { BadRequest, isValidUtf8Name, Labels, METRIC_NAME } from '@flotilla/model';
import { type AppendCode, appendCode, type Appender, type Tsdb } from '@flotilla/tsdb';
import type { ReceivedSeries } from '@flotilla/wire';

export interface Written {
  samples: number;
  histograms: number;
  exemplars: number;
}

export interface AppendResult {
  readonly written: Written;
  /** Why something was not taken, the first reasons; none if all of it was. */
  readonly refused: readonly string[];
}

const REASONS_MAX = 10;

const reasonOfCode: Readonly<Record<AppendCode, string>> = {
  [appendCode.ok]: '',
  [appendCode.outOfOrder]: 'out of order sample',
  [appendCode.duplicate]: 'duplicate sample for timestamp',
  [appendCode.tooOld]: 'out of bounds',
  [appendCode.outOfBounds]: 'out of bounds',
  [appendCode.unknownRef]: 'unknown series',
};

export interface PushedSeries {
  readonly labels: Labels;
  readonly series: ReceivedSeries;
}

/** Valid labels in order, or why they are none. */
export function labelsOf({ labels: flat }: ReceivedSeries): Labels | string {
  const pairs: [string, string][] = [];
  for (let i = 0; i < flat.length; i += 2) pairs.push([flat[i]!, flat[i + 1]!]);
  try {
    const labels = Labels.fromPairs(pairs);
    if (!labels.has(METRIC_NAME)) return `no ${METRIC_NAME} in ${labels.toString()}`;
    const bad = labels.flat.find((text) => !isValidUtf8Name(text));
    return bad === undefined ? labels : `no valid UTF-8 in ${labels.toString()}`;
  } catch (err) {
    if (err instanceof RangeError) return err.message;
    throw err;
  }
}

/** Throws Unavailable when the disk refuses. */
export function appendWrite(tsdb: Tsdb, pushed: readonly PushedSeries[], isAtomic: boolean): AppendResult {
  const appender = tsdb.appender();
  const append = new WriteAppend(appender);
  try {
    for (const { labels, series } of pushed) append.add(labels, series);
  } catch (err) {
    appender.rollback();
    throw err;
  }
  if (isAtomic && append.refused.length > 0) {
    appender.rollback();
    return { written: { samples: 0, histograms: 0, exemplars: 0 }, refused: append.refused };
  }
  appender.commit();
  return append;
}

class WriteAppend implements AppendResult {
  readonly written: Written = { samples: 0, histograms: 0, exemplars: 0 };
  readonly refused: string[] = [];
  readonly #appender: Appender;
  readonly #ref = new Uint32Array(1);
  readonly #code = new Uint8Array(1);

  constructor(appender: Appender) {
    this.#appender = appender;
  }

  add(labels: Labels, { timesMs, values, histograms, exemplars }: ReceivedSeries): void {
    const ref = this.#appender.series(labels);
    this.#ref[0] = ref;
    for (const [i, timeMs] of timesMs.entries()) {
      // As a batch of one: the payload of a NaN must survive.
      this.#appender.appendBatch(this.#ref, values.slice(i, i + 1), 1, timeMs, this.#code);
      if (this.#isTaken(this.#code[0] as AppendCode, labels, timeMs)) this.written.samples++;
    }
    for (const { timeMs, histogram } of histograms)
      this.#guarded(labels, () => {
        const code = this.#appender.appendHistogram(ref, timeMs, histogram);
        if (this.#isTaken(code, labels, timeMs)) this.written.histograms++;
      });
    for (const { labels: flat, value, timeMs } of exemplars)
      this.#guarded(labels, () => {
        const pairs = Array.from(
          { length: flat.length / 2 },
          (_, i) => [flat[2 * i]!, flat[2 * i + 1]!] as const,
        );
        const exemplar = { labels: Labels.fromPairs(pairs), value, timeMs, hasTimestamp: true };
        // One that is old or known is left out, as in a scrape.
        this.#appender.appendExemplar(ref, exemplar);
        this.written.exemplars++;
      });
  }

  #guarded(labels: Labels, append: () => void): void {
    try {
      append();
    } catch (err) {
      if (!(err instanceof BadRequest || err instanceof RangeError)) throw err;
      this.#refuse(`${err.message} for ${labels.toString()}`);
    }
  }

  #isTaken(code: AppendCode, labels: Labels, timeMs: number): boolean {
    if (code === appendCode.ok) return true;
    this.#refuse(`${reasonOfCode[code]} at ${timeMs} for ${labels.toString()}`);
    return false;
  }

  #refuse(reason: string): void {
    if (this.refused.length < REASONS_MAX) this.refused.push(reason);
  }
}
