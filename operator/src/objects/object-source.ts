// Where objects come from. Nothing behind this interface knows whether that is a folder or an API server.

import type { Kind, ObjectOf } from './kinds.ts';
import type { ObjectMeta } from './kube-object.ts';

/** An object or document that was refused, or (severity `warning`) taken without a part of it. */
export interface Problem {
  readonly severity: 'refused' | 'warning';
  readonly file: string;
  readonly line: number;
  readonly kind?: string;
  /** `ns/name`. */
  readonly name?: string;
  readonly reason: string;
  /** Of an object from an API server, refused or not. */
  readonly metadata?: ObjectMeta;
}

export interface ObjectSource {
  /** Begins to read and watch; resolves after the first full read. */
  start(): Promise<void>;
  stop(): void;
  /** Whether list() is a whole picture. Until it is, nothing may be derived from what is missing. */
  synced(): boolean;
  /** Sorted by namespace and name. The same array while nothing of the kind has changed. */
  list<K extends Kind>(kind: K): readonly ObjectOf<K>[];
  get<K extends Kind>(kind: K, namespace: string, name: string): ObjectOf<K> | undefined;
  /** Sorted by file and line. */
  problems(): readonly Problem[];
  /** Objects of kinds that nobody here reads, by `apiVersion/kind`. */
  ignored(): ReadonlyMap<string, number>;
  onChange(listener: () => void): void;
}
