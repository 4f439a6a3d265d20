// Hot: rows of native histograms as a query keeps them, read once per bucket of each sample that it looks at.

/** The columns of a row before those of the positive buckets and then of the negative ones. */
export const rowColumn = { count: 0, zeroCount: 1, sum: 2, buckets: 3 } as const;

/** What each column grew since the first row. */
export type RowDeltas = Uint16Array | Uint32Array;

/** Some rows of a chunk. */
export class PackedRows {
  /** All rows; if there are deltas, the first one and then the sums of all. */
  readonly #numbers: Float64Array;
  readonly #deltas: RowDeltas | undefined;
  readonly #stride: number;

  constructor(numbers: Float64Array, deltas: RowDeltas | undefined, stride: number) {
    this.#numbers = numbers;
    this.#deltas = deltas;
    this.#stride = stride;
  }

  count(row: number): number {
    return this.#at(row, rowColumn.count);
  }

  zeroCount(row: number): number {
    return this.#at(row, rowColumn.zeroCount);
  }

  sum(row: number): number {
    const isPacked = this.#deltas !== undefined;
    return this.#numbers[isPacked ? this.#stride + row : row * this.#stride + rowColumn.sum]!;
  }

  /** Writes the counts of as many buckets as `into` has, the first of which is the row's `first`. */
  buckets(row: number, first: number, into: number[]): void {
    const numbers = this.#numbers;
    const deltas = this.#deltas;
    const column = rowColumn.buckets + first;
    const at = row * this.#stride + column;
    if (deltas === undefined) for (let i = 0; i < into.length; i++) into[i] = numbers[at + i]!;
    else for (let i = 0; i < into.length; i++) into[i] = numbers[column + i]! + deltas[at + i]!;
  }

  #at(row: number, column: number): number {
    const at = row * this.#stride + column;
    const deltas = this.#deltas;
    return deltas === undefined ? this.#numbers[at]! : this.#numbers[column]! + deltas[at]!;
  }
}
