// Merges what a Fleet says of its pods into the pods that are made, as a strategic merge patch does: maps by key, lists of things
// that have a name by name, tolerations and the like at the end; anything else is replaced.

type Tree = Readonly<Record<string, unknown>>;

/** What identifies an item of a list of that name, as in the PodSpec. */
const mergeKeys: Readonly<Record<string, string>> = {
  containers: 'name',
  initContainers: 'name',
  env: 'name',
  volumes: 'name',
  volumeMounts: 'mountPath',
  ports: 'containerPort',
  imagePullSecrets: 'name',
  hostAliases: 'ip',
  topologySpreadConstraints: 'topologyKey',
};
const appended: ReadonlySet<string> = new Set(['tolerations', 'args', 'envFrom']);

/** A null removes what is there. */
export function mergePodSpec(made: Tree, wanted: Tree): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...made };
  for (const [key, value] of Object.entries(wanted)) {
    if (value === null) delete merged[key];
    else merged[key] = mergeValue(key, merged[key], value);
  }
  return merged;
}

function mergeValue(key: string, made: unknown, wanted: unknown): unknown {
  if (Array.isArray(made) && Array.isArray(wanted)) return mergeList(key, made, wanted);
  return isTree(made) && isTree(wanted) ? mergePodSpec(made, wanted) : wanted;
}

function mergeList(key: string, made: readonly unknown[], wanted: readonly unknown[]): readonly unknown[] {
  if (appended.has(key)) return [...made, ...wanted];
  const mergeKey = mergeKeys[key];
  if (mergeKey === undefined) return wanted;
  const merged = [...made];
  for (const item of wanted) {
    const place = merged.findIndex((one) => isTree(one) && isTree(item) && one[mergeKey] === item[mergeKey]);
    if (place < 0) merged.push(item);
    else merged[place] = mergePodSpec(merged[place] as Tree, item as Tree);
  }
  return merged;
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
