// Kubernetes objects as the operator sees them: checked, stripped to what is used, immutable.
//
// Identity is meaning: while an object does not change, every list() returns the same JavaScript object, so that
// whatever is derived from it can be kept.

export interface ObjectMeta {
  readonly name: string;
  /** '' for cluster-scoped kinds, 'default' when a manifest names none. */
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly uid: string;
  /** How often the spec has been written; undefined without an API server. */
  readonly generation?: number | undefined;
  readonly ownerReferences: readonly {
    readonly kind: string;
    readonly name: string;
    readonly controller: boolean;
  }[];
}

/** Where an object was read; file is '' when it came from an API server. Lines count from 1. */
export interface Origin {
  readonly file: string;
  readonly line: number;
}

export interface ObjectHead {
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly origin: Origin;
}

/** `ns/name`, or `name` when cluster-scoped. */
export function objectKey(namespace: string, name: string): string {
  return namespace === '' ? name : `${namespace}/${name}`;
}

export function keyOf({ metadata }: Pick<ObjectHead, 'metadata'>): string {
  return objectKey(metadata.namespace, metadata.name);
}
