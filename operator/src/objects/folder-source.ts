// Objects from folders of manifests, watched: the local stand-in for an API server.
//
// A bad document is refused whole and changes nothing: while it stays bad, its last good version holds. What is gone from
// its file, or whose file is gone, is removed. A folder that cannot be read freezes everything that came from it.
// Of two objects with one name the first by path holds.

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import { errorText, watchFolder } from '@flotilla/chassis';
import { compareUtf8 } from '@flotilla/model';
import type { AnyObject, Kind, ObjectOf } from './kinds.ts';
import { objectKey } from './kube-object.ts';
import { type ManifestFile, named, parseManifestFile } from './manifest-file.ts';
import type { ObjectSource, Problem } from './object-source.ts';

export interface FolderSourceOptions {
  readonly folders: readonly string[];
  /** A folder below them that is not read: the data folder may lie within. */
  readonly except?: string;
  /** Folders whose absence means that they are empty. */
  readonly optional?: readonly string[];
  readonly debounceMs?: number;
}

interface LoadedFile {
  readonly fingerprint: string;
  readonly manifest: ManifestFile;
  /** The manifest's objects and the last good versions of those that are refused. */
  readonly objects: ReadonlyMap<string, AnyObject>;
}

export class FolderSource implements ObjectSource {
  readonly #options: FolderSourceOptions;
  readonly #files = new Map<string, LoadedFile>();
  readonly #listeners: (() => void)[] = [];
  readonly #unreadable = new Map<string, string>();
  #stops: (() => void)[] = [];
  #readOnce = new Set<string>();
  #index: ReadonlyMap<string, AnyObject> = new Map();
  #duplicates: readonly Problem[] = [];
  #lists = new Map<string, readonly AnyObject[]>();

  constructor(options: FolderSourceOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { folders, debounceMs = 100 } = this.#options;
    for (const folder of folders) {
      this.#stops.push(watchFolder(folder, () => this.#reload(), { debounceMs, pollMs: 2000 }));
    }
    this.#reload();
  }

  stop(): void {
    for (const stop of this.#stops) stop();
    this.#stops = [];
  }

  synced(): boolean {
    return this.#options.folders.every((folder) => this.#readOnce.has(folder));
  }

  list<K extends Kind>(kind: K): readonly ObjectOf<K>[] {
    return (this.#lists.get(kind) ?? []) as readonly ObjectOf<K>[];
  }

  get<K extends Kind>(kind: K, namespace: string, name: string): ObjectOf<K> | undefined {
    return this.#index.get(`${kind}/${objectKey(namespace, name)}`) as ObjectOf<K> | undefined;
  }

  problems(): readonly Problem[] {
    const inFiles = [...this.#files.values()].flatMap(({ manifest }) => manifest.problems);
    const folders = [...this.#unreadable].map(([file, reason]): Problem => ({
      severity: 'refused',
      file,
      line: 0,
      reason,
    }));
    return [...folders, ...inFiles, ...this.#duplicates].toSorted(
      (a, b) => compareUtf8(a.file, b.file) || a.line - b.line,
    );
  }

  ignored(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { manifest } of this.#files.values()) {
      for (const [kind, count] of manifest.ignored) counts.set(kind, (counts.get(kind) ?? 0) + count);
    }
    return counts;
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  #reload(): void {
    const seen = new Set<string>();
    for (const folder of this.#options.folders) this.#readFolder(folder, seen);
    for (const file of this.#files.keys()) {
      if (!seen.has(file) && !this.#isFrozen(file)) this.#files.delete(file);
    }
    this.#rebuild();
    for (const listener of this.#listeners) listener();
  }

  #isFrozen(file: string): boolean {
    return [...this.#unreadable.keys()].some((folder) => file.startsWith(folder + sep));
  }

  #readFolder(folder: string, seen: Set<string>): void {
    try {
      for (const file of this.#manifestFiles(folder)) {
        seen.add(file);
        this.#readFile(file);
      }
      this.#unreadable.delete(folder);
      this.#readOnce.add(folder);
    } catch (err) {
      if (this.#options.optional?.includes(folder) === true) this.#readOnce.add(folder);
      else
        this.#unreadable.set(
          folder,
          `folder cannot be read, its objects stay as they were: ${errorText(err)}`,
        );
    }
  }

  /** Hidden files and folders are not manifests. */
  #manifestFiles(folder: string): string[] {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(ya?ml|json)$/.test(name) && !/(^|[/\\])\./.test(name))
      .map((name) => join(folder, name))
      .filter((path) => !this.#isExcepted(folder, path))
      .toSorted(compareUtf8);
  }

  #isExcepted(folder: string, path: string): boolean {
    const { except } = this.#options;
    if (except === undefined) return false;
    const inside = (inner: string): boolean => resolve(inner).startsWith(resolve(except) + sep);
    return inside(path) && !inside(folder);
  }

  #readFile(file: string): void {
    const before = this.#files.get(file);
    try {
      const { mtimeMs, size, ino } = statSync(file);
      const fingerprint = `${mtimeMs} ${size} ${ino}`;
      if (before?.fingerprint === fingerprint) return;
      const manifest = parseManifestFile(file, readFileSync(file, 'utf8'), before?.manifest);
      this.#files.set(file, { fingerprint, manifest, objects: lastGood(manifest, before?.objects) });
    } catch (err) {
      const manifest = parseManifestFile(file, '');
      const problem: Problem = { severity: 'refused', file, line: 1, reason: errorText(err) };
      this.#files.set(file, {
        fingerprint: '',
        manifest: { ...manifest, problems: [problem], hasUnreadable: true },
        objects: before?.objects ?? new Map<string, AnyObject>(),
      });
    }
  }

  #rebuild(): void {
    const index = new Map<string, AnyObject>();
    const duplicates: Problem[] = [];
    for (const file of [...this.#files.keys()].toSorted(compareUtf8)) {
      for (const [key, object] of this.#files.get(file)!.objects) {
        const first = index.get(key);
        if (first === undefined) index.set(key, object);
        else duplicates.push(duplicate(key, object, first));
      }
    }
    this.#index = index;
    this.#duplicates = duplicates;
    this.#rebuildLists();
  }

  /** A list whose members are the same stays the same array. */
  #rebuildLists(): void {
    const lists = new Map<string, AnyObject[]>();
    for (const object of this.#index.values()) {
      const list = lists.get(object.kind);
      if (list === undefined) lists.set(object.kind, [object]);
      else list.push(object);
    }
    const before = this.#lists;
    this.#lists = new Map(
      [...lists].map(([kind, list]) => {
        const sorted = list.toSorted(byName);
        const old = before.get(kind);
        const isSame =
          old?.length === sorted.length && old.every((object, index) => object === sorted[index]);
        return [kind, isSame ? old : sorted];
      }),
    );
  }
}

function byName(a: AnyObject, b: AnyObject): number {
  return (
    compareUtf8(a.metadata.namespace, b.metadata.namespace) || compareUtf8(a.metadata.name, b.metadata.name)
  );
}

function duplicate(key: string, object: AnyObject, first: AnyObject): Problem {
  const reason = `comes twice, first in ${first.origin.file} on line ${first.origin.line}`;
  return { severity: 'refused', ...object.origin, ...named(key), reason };
}

function lastGood(
  manifest: ManifestFile,
  before: ReadonlyMap<string, AnyObject> | undefined,
): Map<string, AnyObject> {
  const objects = new Map(manifest.objects);
  for (const [key, object] of before ?? []) {
    if (objects.has(key)) continue;
    if (manifest.hasUnreadable || manifest.refusedKeys.has(key)) objects.set(key, object);
  }
  return objects;
}
