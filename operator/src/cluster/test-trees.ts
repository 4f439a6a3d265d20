// Trees of JSON as an API server merges them: for tests.

export type Tree = Record<string, unknown>;

/** Lists whose items are told apart by a key, wherever they are; all others are replaced whole. */
const listKeys: Readonly<Record<string, string>> = {
  containers: 'name',
  initContainers: 'name',
  env: 'name',
  volumes: 'name',
  ownerReferences: 'uid',
  conditions: 'type',
};

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(ordered(a)) === JSON.stringify(ordered(b));
}

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (!isTree(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .toSorted()
      .map((key) => [key, ordered(value[key])]),
  );
}

/** JSON merge patch: a null removes, lists are replaced. */
export function mergePatch(base: unknown, over: unknown): unknown {
  if (!isTree(over)) return over;
  const merged: Tree = isTree(base) ? { ...base } : {};
  for (const [key, value] of Object.entries(over)) {
    if (value === null) delete merged[key];
    else merged[key] = mergePatch(merged[key], value);
  }
  return merged;
}

/** As server-side apply does it: lists with keys by item. */
export function applied(base: unknown, over: unknown, field = ''): unknown {
  if (Array.isArray(base) && Array.isArray(over) && listKeys[field] !== undefined)
    return appliedList(base as Tree[], over as Tree[], listKeys[field]);
  if (!isTree(base) || !isTree(over)) return over;
  const merged: Tree = { ...base };
  for (const [key, value] of Object.entries(over)) merged[key] = applied(merged[key], value, key);
  return merged;
}

function appliedList(base: readonly Tree[], over: readonly Tree[], key: string): readonly Tree[] {
  const rest = base.filter((item) => !over.some((one) => one[key] === item[key]));
  const own = over.map((one) => applied(base.find((item) => item[key] === one[key]) ?? {}, one) as Tree);
  return [...own, ...rest];
}

/** The paths of all leaves; items of lists with keys by their key. */
export function leaves(tree: unknown, path = '', field = ''): Map<string, unknown> {
  const found = new Map<string, unknown>();
  const key = listKeys[field];
  const entries: (readonly [string, unknown, string])[] | undefined =
    Array.isArray(tree) && key !== undefined
      ? (tree as Tree[]).map((item) => [`[${String(item[key])}]`, item, ''])
      : isTree(tree)
        ? Object.entries(tree).map(([name, value]) => [`.${name}`, value, name])
        : undefined;
  if (entries === undefined) return found.set(path, tree);
  for (const [step, value, name] of entries)
    for (const [leaf, text] of leaves(value, path + step, name)) found.set(leaf, text);
  return found;
}

/** The tree without those leaves; what is left empty by that goes too. */
export function withoutLeaves(tree: unknown, gone: ReadonlySet<string>, path = '', field = ''): unknown {
  if (gone.has(path)) return undefined;
  const key = listKeys[field];
  if (Array.isArray(tree) && key !== undefined) {
    const items = (tree as Tree[]).flatMap((item) => {
      const inner = `${path}[${String(item[key])}]`;
      if (gone.has(`${inner}.${key}`)) return [];
      return [withoutLeaves(item, gone, inner)];
    });
    return items.length === 0 && tree.length > 0 ? undefined : items;
  }
  if (!isTree(tree)) return tree;
  const kept: Tree = {};
  for (const [name, value] of Object.entries(tree)) {
    const left = withoutLeaves(value, gone, `${path}.${name}`, name);
    if (left !== undefined) kept[name] = left;
  }
  return Object.keys(kept).length === 0 && Object.keys(tree).length > 0 ? undefined : kept;
}
