// One manifest file → its objects and its problems.

import { type AnyObject } from './kinds.ts';
import { type ObjectIssue, parseObject } from './parse-object.ts';
import type { Problem } from './object-source.ts';
import { lineOf, parseYaml, splitDocuments, YamlError, type YamlDocument } from './yaml-document.ts';

export interface ManifestFile {
  readonly objects: ReadonlyMap<string, AnyObject>;
  readonly problems: readonly Problem[];
  /** Keys of objects that are in the file but refused: their last good version stays. */
  readonly refusedKeys: ReadonlySet<string>;
  /** Some document could not even be read: any object that was here before may be the one. */
  readonly hasUnreadable: boolean;
  readonly ignored: ReadonlyMap<string, number>;
}

const fileBytesMax = 64 << 20;

/** Reads manifests of one file. Equal documents keep their object of `previous`, so that nothing derived from it is lost. */
export function parseManifestFile(file: string, text: string, previous?: ManifestFile): ManifestFile {
  const reader = new ManifestReader(file, previous);
  if (text.length > fileBytesMax) reader.fail(1, `${text.length} bytes, want at most ${fileBytesMax}`);
  else for (const document of splitDocuments(text)) reader.readDocument(document);
  return reader;
}

class ManifestReader implements ManifestFile {
  readonly objects = new Map<string, AnyObject>();
  readonly problems: Problem[] = [];
  readonly refusedKeys = new Set<string>();
  readonly ignored = new Map<string, number>();
  hasUnreadable = false;
  readonly #file: string;
  readonly #previous: ManifestFile | undefined;

  constructor(file: string, previous: ManifestFile | undefined) {
    this.#file = file;
    this.#previous = previous;
  }

  fail(line: number, reason: string): void {
    this.hasUnreadable = true;
    this.problems.push({ severity: 'refused', file: this.#file, line, reason });
  }

  readDocument(document: YamlDocument): void {
    let value: unknown;
    try {
      value = parseYaml(document);
    } catch (err) {
      if (!(err instanceof YamlError)) throw err;
      this.fail(err.line, err.message);
      return;
    }
    const { kind, items } = (value ?? {}) as { kind?: unknown; items?: unknown };
    if (kind === 'List' && Array.isArray(items)) {
      for (const [index, item] of items.entries()) this.#readObject(document, item, ['items', index]);
    } else if (value !== null && value !== undefined) this.#readObject(document, value, []);
  }

  #readObject(document: YamlDocument, value: unknown, at: readonly PropertyKey[]): void {
    const line = at.length === 0 ? contentLine(document) : lineOf(document, at);
    const parsed = parseObject(value, { file: this.#file, line });
    const report = (severity: Problem['severity'], issue: ObjectIssue): void =>
      void this.problems.push({
        severity,
        file: this.#file,
        line: lineOf(document, [...at, ...issue.path]),
        ...named(parsed.key),
        reason: issue.reason,
      });
    for (const warning of parsed.warnings) report('warning', warning);
    if (parsed.ignored !== undefined) {
      this.ignored.set(parsed.ignored, (this.ignored.get(parsed.ignored) ?? 0) + 1);
    }
    if (parsed.refusal !== undefined) {
      report('refused', parsed.refusal);
      if (parsed.key === '') this.hasUnreadable = true;
      else this.refusedKeys.add(parsed.key);
    }
    if (parsed.object !== undefined) this.#add(parsed.key, parsed.object);
  }

  #add(key: string, object: AnyObject): void {
    const first = this.objects.get(key);
    if (first !== undefined) {
      const reason = `comes twice, first on line ${first.origin.line}`;
      this.problems.push({ severity: 'refused', ...object.origin, ...named(key), reason });
      return;
    }
    const before = this.#previous?.objects.get(key);
    this.objects.set(key, before !== undefined && sameObject(before, object) ? before : object);
  }
}

/** First line that is neither empty nor a comment. */
function contentLine({ text, firstLine }: YamlDocument): number {
  return (
    firstLine +
    Math.max(
      0,
      text.split('\n').findIndex((line) => /^\s*[^#\s]/.test(line)),
    )
  );
}

/** Kind and name of `Kind/ns/name`. */
export function named(key: string): { kind?: string; name?: string } {
  const slash = key.indexOf('/');
  return slash < 0 ? {} : { kind: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** Rules hold their regex's caches, which are no part of what they say. */
function sameObject(a: AnyObject, b: AnyObject): boolean {
  return JSON.stringify(a, plain) === JSON.stringify(b, plain);
}

function plain(key: string, value: unknown): unknown {
  if (key === 'regex') return String(value);
  return typeof value === 'bigint' ? value.toString() : value;
}
