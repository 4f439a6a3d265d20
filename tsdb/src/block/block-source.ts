// What a block is written from.

import type { Labels } from '@flotilla/model';
import { compareUtf8 } from '@flotilla/model';
import type { Schedule, SeriesSet } from '../api.ts';
import { sortSlowly } from '../sort-slowly.ts';

export interface BlockSource {
  /** Every label name and value once, ascending; more than there are do no harm. Asked before the series. */
  symbols(): Promise<readonly string[]>;
  /** Closed by the writer. */
  series(): BlockSeries;
}

/** A cursor in label order. The fields belong to the current series and are valid until anything else is called. */
export interface BlockSeries {
  next(): boolean;
  /** Of its names and values in turn, what numbers they have in symbols(). */
  readonly pairs: Uint32Array;
  /** Not empty. */
  readonly chunkList: Uint8Array;
  readonly schedule: Schedule | undefined;
  close(): void;
}

/** Series that come with their labels. */
export class LabelledSource implements BlockSource {
  private readonly texts: () => Iterable<string>;
  private readonly open: () => SeriesSet;
  private numbers: ReadonlyMap<string, number> = new Map();

  /** `texts`: every name and value, in any order; twice does no harm. `open`: in label order, each with a chunk. */
  constructor(texts: () => Iterable<string>, open: () => SeriesSet) {
    this.texts = texts;
    this.open = open;
  }

  async symbols(): Promise<readonly string[]> {
    const symbols = await sortSlowly([...new Set(this.texts())], compareUtf8);
    this.numbers = new Map(symbols.map((symbol, number) => [symbol, number]));
    return symbols;
  }

  series(): BlockSeries {
    const { numbers } = this;
    const set = this.open();
    return {
      next: () => set.next(),
      get pairs(): Uint32Array {
        return numbersOf(set.labels, numbers);
      },
      get chunkList(): Uint8Array {
        return set.chunkList;
      },
      get schedule(): Schedule | undefined {
        return set.schedule;
      },
      close: () => set.close(),
    };
  }
}

function numbersOf({ flat }: Labels, numbers: ReadonlyMap<string, number>): Uint32Array {
  const pairs = new Uint32Array(flat.length);
  for (let i = 0; i < flat.length; i++) pairs[i] = numbers.get(flat[i]!)!;
  return pairs;
}
