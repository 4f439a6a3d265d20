// Equal parts of objects once: label names and values come a thousand times over, and the pods of one workload have the same
// labels, annotations, owners and containers.

import { hash } from 'node:crypto';
import type { AnyObject } from '../objects/kinds.ts';

type Tree = Record<string, unknown>;

const entriesMax = 50_000;
const lengthMax = 256;
/** Parts that objects have in common with others; all else is of one object alone. */
const commonParts = [
  ['metadata', 'labels'],
  ['metadata', 'annotations'],
  ['metadata', 'ownerReferences'],
  ['spec', 'containers'],
  ['spec', 'initContainers'],
  ['spec', 'ports'],
  ['status', 'conditions'],
] as const;
/** Fields of which every object has its own. */
const ownFields: ReadonlySet<string> = new Set([
  'name',
  'uid',
  'podIP',
  'addresses',
  'targetRef',
  'containerStatuses',
  'initContainerStatuses',
]);

export class ObjectPool {
  readonly #strings = new Pool<string>();
  readonly #parts = new Pool<object>();

  /** Replaces parts and strings that are known, in place; returns the object. */
  share<T extends AnyObject>(object: T): T {
    const tree = object as unknown as Tree;
    const known = new Set<unknown>();
    for (const [outer, field] of commonParts) {
      const parent = tree[outer] as Tree | undefined;
      if (parent === undefined || !isPlain(parent) || !isPlain(parent[field])) continue;
      const part = this.#part(parent[field]);
      parent[field] = part;
      known.add(part);
    }
    this.#shareStrings(tree, known);
    return object;
  }

  #part(part: object): object {
    const key = hash('sha1', JSON.stringify(part), 'base64');
    const known = this.#parts.get(key);
    if (known !== undefined) return known;
    this.#shareStrings(part as Tree, new Set());
    return this.#parts.set(key, part);
  }

  /** Those of `known` parts are shared already. */
  #shareStrings(tree: Tree, known: ReadonlySet<unknown>): void {
    for (const [key, value] of Object.entries(tree)) {
      if (isEmpty(value)) tree[key] = nothing;
      if (ownFields.has(key)) continue;
      if (typeof value === 'string') tree[key] = this.#string(value);
      else if (isPlain(value) && !known.has(value)) this.#shareStrings(value as Tree, known);
    }
  }

  #string(text: string): string {
    if (text.length > lengthMax) return text;
    return this.#strings.get(text) ?? this.#strings.set(text, text);
  }
}

/** What occurs once fills it; what occurs often is soon in it again when it is emptied. */
class Pool<T> {
  #values = new Map<string, T>();

  get(key: string): T | undefined {
    return this.#values.get(key);
  }

  set(key: string, value: T): T {
    if (this.#values.size >= entriesMax) this.#values = new Map();
    this.#values.set(key, value);
    return value;
  }
}

const nothing = Object.freeze({});

function isEmpty(value: unknown): boolean {
  return isPlain(value) && !Array.isArray(value) && Object.keys(value).length === 0;
}

function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return false;
  if (Array.isArray(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
