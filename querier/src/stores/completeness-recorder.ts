// Collects, over all selects of one query, which shards were asked and which answered.

import type { Completeness, ShardCompleteness, ShardState } from '@flotilla/wire';

interface ShardRecord {
  readonly answered: Set<string>;
  readonly failed: Map<string, string>;
}

export class CompletenessRecorder {
  readonly #shards = new Map<string, ShardRecord>();
  readonly #cut = new Set<string>();

  /** A shard that the epochs name is expected, whether it answers or not. */
  expect(shard: string): void {
    this.#record(shard);
  }

  answered(shard: string, store: string): void {
    this.#record(shard).answered.add(store);
  }

  /** A replica that was needed failed. */
  failed(shard: string, store: string, error: string): void {
    this.#record(shard).failed.set(store, error);
  }

  cut(what: string): void {
    this.#cut.add(what);
  }

  record(): Completeness {
    const shards = [...this.#shards].map(toShard).toSorted(byShard);
    const heard = shards.filter(({ state }) => state !== 'none').length;
    return { expected: shards.length, heard, shards, cut: [...this.#cut] };
  }

  #record(shard: string): ShardRecord {
    let record = this.#shards.get(shard);
    if (record === undefined) this.#shards.set(shard, (record = { answered: new Set(), failed: new Map() }));
    return record;
  }
}

function toShard([shard, { answered, failed }]: [string, ShardRecord]): ShardCompleteness {
  const failures = [...failed].map(([store, error]) => ({ store, error }));
  return {
    shard,
    state: stateOf(answered.size, failures.length),
    answered: [...answered].toSorted(),
    failed: failures,
  };
}

function stateOf(answered: number, failed: number): ShardState {
  if (answered === 0) return 'none';
  return failed === 0 ? 'all' : 'one';
}

function byShard(a: ShardCompleteness, b: ShardCompleteness): number {
  const [x, y] = [Number(a.shard), Number(b.shard)];
  if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) ? (Number.isNaN(y) ? 0 : 1) : -1;
  return x - y;
}

/** One line for each shard that did not answer; empty for a whole answer. */
export function holes({ shards }: Completeness): string[] {
  return shards
    .filter(({ state }) => state === 'none')
    .map(({ shard, failed }) => {
      const reasons = failed.map(({ store, error }) => `${store}: ${error}`).join('; ');
      return `incomplete answer: shard "${shard}": no replica answered${reasons === '' ? '' : `: ${reasons}`}`;
    });
}

/** One line for each shard of which a needed replica did not answer, though another did. */
export function lonely({ shards }: Completeness): string[] {
  return shards
    .filter(({ state }) => state === 'one')
    .map(({ shard, answered }) => `shard "${shard}": one replica answered: ${answered.join(', ')}`);
}
