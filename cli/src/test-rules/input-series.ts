// The input of a unit test: series in the shorthand of the test language, loaded up to a time, as a scraper would have by then.

import type { Labels } from '@flotilla/model';
import { MemoryStorage, ParseError, parseSeriesLine } from '@flotilla/promql';
import type { SequenceItem } from '@flotilla/promql';
import type { TestGroup } from './unit-test-file.ts';

interface Input {
  readonly labels: Labels;
  readonly items: readonly SequenceItem[];
  next: number;
}

export class InputSeries {
  readonly #inputs: readonly Input[];
  readonly #startMs: number;
  readonly #intervalMs: number;

  /** Throws SyntaxError or ParseError with the line of the series. */
  constructor({ inputSeries, startMs, intervalMs }: TestGroup) {
    this.#startMs = startMs;
    this.#intervalMs = intervalMs;
    const parsed = inputSeries.map(({ series, values }, i) => parseLine(`${series} ${values}`, i + 2));
    // Of two lines for one series the later one counts.
    const byKey = new Map(parsed.map(({ labels, items }) => [labels.key, { labels, items, next: 0 }]));
    this.#inputs = [...byKey.values()];
  }

  /** Adds the samples that were not yet added, to `timeMs` inclusive. Throws RangeError when a rule wrote one before. */
  loadUntil(timeMs: number, storage: MemoryStorage): void {
    for (const input of this.#inputs) {
      for (; input.next < input.items.length; input.next++) {
        const sampleMs = this.#startMs + input.next * this.#intervalMs;
        if (sampleMs > timeMs) break;
        addItem(storage, input.labels, sampleMs, input.items[input.next]);
      }
    }
  }
}

function parseLine(line: string, number: number): { labels: Labels; items: readonly SequenceItem[] } {
  try {
    return parseSeriesLine(line);
  } catch (error) {
    if (error instanceof ParseError)
      throw new SyntaxError(`${number}:${error.column}: parse error: ${error.reason}`, { cause: error });
    throw new SyntaxError(`${number}:1: parse error: ${(error as Error).message}`, { cause: error });
  }
}

function addItem(
  storage: MemoryStorage,
  labels: Labels,
  timeMs: number,
  item: SequenceItem | undefined,
): void {
  if (item?.kind === 'value') storage.add(labels, timeMs, item.value);
  else if (item?.kind === 'histogram') storage.addHistogram(labels, timeMs, item.histogram);
  else if (item?.kind === 'stale') storage.addStale(labels, timeMs);
}
