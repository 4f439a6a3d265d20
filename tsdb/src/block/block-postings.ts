// Hot: which series of a new block have which label pair: ids of series by numbers of name and value.

import { PostingList } from '../head/posting-list.ts';

export class BlockPostings {
  /** Name → value → ids. */
  private readonly lists = new Map<number, Map<number, PostingList>>();
  /** Of the series before, whose neighbour in label order shares most of them. */
  private before = new Uint32Array(64);
  private readonly beforeLists: PostingList[] = [];

  /** `pairs`: numbers of names and values in turn. Ids ascend. */
  add(pairs: Uint32Array, id: number): void {
    const { beforeLists } = this;
    if (pairs.length > this.before.length) {
      this.before = new Uint32Array(2 * pairs.length);
      beforeLists.length = 0;
    }
    const { before } = this;
    for (let k = 0; k < pairs.length; k += 2) {
      const [name, value] = [pairs[k]!, pairs[k + 1]!];
      const at = k >> 1;
      if (at >= beforeLists.length || before[k] !== name || before[k + 1] !== value) {
        before[k] = name;
        before[k + 1] = value;
        beforeLists[at] = this.listOf(name, value);
      }
      beforeLists[at]!.add(id);
    }
  }

  private listOf(name: number, value: number): PostingList {
    let values = this.lists.get(name);
    if (values === undefined) this.lists.set(name, (values = new Map<number, PostingList>()));
    let list = values.get(value);
    if (list === undefined) values.set(value, (list = new PostingList()));
    return list;
  }

  /** Ascending. */
  *entries(): Iterable<readonly [name: number, value: number, ids: PostingList]> {
    for (const [name, values] of ascending(this.lists))
      for (const [value, list] of ascending(values)) yield [name, value, list];
  }
}

/** Symbol numbers are in symbol order, so this is the order of the strings. */
function ascending<V>(map: ReadonlyMap<number, V>): [number, V][] {
  return [...map].toSorted(([a], [b]) => a - b);
}
