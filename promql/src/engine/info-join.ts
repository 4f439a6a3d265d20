// Which info series belong to which series: those of the same instance and job, one of each info metric.

import { type Labels, type Matcher, METRIC_NAME } from '@flotilla/model';
import { fail } from './errors.ts';
import { NOTHING, type Tile } from './tile.ts';

const IDENTIFYING = ['job', 'instance'] as const;

/** Values of the identifying labels of series that have the same of them. */
type Identities = readonly ReadonlySet<string>[];

export class InfoJoin {
  /** Info series that share values with any series; in the order in which they are looked at. */
  readonly infoRows: readonly number[];
  private readonly info: readonly Labels[];
  private readonly ignored: readonly boolean[];
  /** The signature of each info row: its metric, instance and job. */
  private readonly signatures: Uint32Array;
  private readonly signatureCount: number;
  /** Signatures that an info series of each series would have, by info metric. */
  private readonly wanted: readonly (readonly number[])[];

  /** `names` match info metrics; a series whose own name they match is left as it is. */
  constructor(base: readonly Labels[], info: readonly Labels[], names: readonly Matcher[]) {
    this.info = info;
    this.ignored = base.map((one) => names.every((matcher) => matcher.matches(one.get(METRIC_NAME))));
    const groups = identitiesOf(base.filter((_, row) => !this.ignored[row]));
    this.infoRows = groups.flatMap((group) => [...info.keys()].filter((row) => isOf(info[row]!, group)));
    const ids = new Map<string, number>();
    const idOf = (metric: string, labels: Labels): number => {
      const key = JSON.stringify([metric, ...IDENTIFYING.map((name) => labels.get(name))]);
      const known = ids.get(key) ?? ids.size;
      ids.set(key, known);
      return known;
    };
    this.signatures = Uint32Array.from(info, (labels) => idOf(labels.get(METRIC_NAME), labels));
    const metrics = [...new Set(this.infoRows.map((row) => info[row]!.get(METRIC_NAME)))].toSorted();
    this.wanted = base.map((labels) => metrics.map((metric) => idOf(metric, labels)));
    this.signatureCount = ids.size;
  }

  isIgnored(row: number): boolean {
    return this.ignored[row]!;
  }

  /** The info row of each signature at a step, -1 for none. Two of the same time fail the query. */
  newestAt(times: Tile, step: number, steps: number): Int32Array {
    const newest = new Int32Array(this.signatureCount).fill(-1);
    const timeOf = (row: number): number => times.values[row * steps + step]!;
    for (const row of this.infoRows) {
      if (times.valid[row * steps + step] === NOTHING) continue;
      const other = newest[this.signatures[row]!]!;
      if (other !== -1 && timeOf(other) === timeOf(row)) this.failConflict(other, row, timeOf(row));
      if (other === -1 || timeOf(other) < timeOf(row)) newest[this.signatures[row]!] = row;
    }
    return newest;
  }

  infosOf(row: number, newest: Int32Array): number[] {
    return this.wanted[row]!.map((signature) => newest[signature]!).filter((info) => info !== -1);
  }

  private failConflict(existing: number, row: number, seconds: number): never {
    const text = (one: number): string => `${this.info[one]!.toString()} @ ${Math.round(seconds * 1000)}`;
    return fail(`found duplicate series for info metric: existing ${text(existing)}, new ${text(row)}`);
  }
}

/** The values of the labels, by which of the labels a series has; of series with none, nothing. */
function identitiesOf(base: readonly Labels[]): Identities[] {
  const groups = new Map<number, Set<string>[]>();
  for (const labels of base) {
    const values = IDENTIFYING.map((name) => labels.get(name));
    const presence = values.reduce((bits, value, i) => bits | (value === '' ? 0 : 1 << i), 0);
    if (presence === 0) continue;
    const group = groups.get(presence) ?? IDENTIFYING.map(() => new Set<string>());
    groups.set(presence, group);
    values.forEach((value, i) => group[i]!.add(value));
  }
  return [...groups].toSorted(([a], [b]) => a - b).map(([, group]) => group);
}

function isOf(labels: Labels, group: Identities): boolean {
  return IDENTIFYING.every((name, i) => group[i]!.has(labels.get(name)));
}
