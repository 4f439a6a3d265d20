// YAML documents of a file, with lines to point at.

import { LineCounter, parseAllDocuments } from 'yaml';
import type { Document } from 'yaml';

export interface YamlPosition {
  readonly line: number;
  readonly column: number;
}

export interface YamlDocument {
  readonly value: unknown;
  /** Place of the node at a path, or of its nearest parent that exists; both counted from 1. */
  positionOf(path: readonly (string | number)[]): YamlPosition;
}

export interface YamlError {
  readonly line: number;
  readonly message: string;
}

/**
 * Parses all documents; a file with a syntax error has no documents and the errors. `text`: scalars are strings as they are
 * written, which is how Go reads them into fields that are strings.
 */
export function parseYaml(
  text: string,
  scalars: 'typed' | 'text' = 'typed',
): { documents: YamlDocument[]; errors: YamlError[] } {
  const lineCounter = new LineCounter();
  const schema = scalars === 'text' ? 'failsafe' : 'core';
  const parsed = parseAllDocuments(text, { lineCounter, schema, merge: true });
  const documents = Array.isArray(parsed) ? (parsed as Document.Parsed[]) : [];
  const errors = documents.flatMap((document) =>
    document.errors.map((error) => ({
      line: lineCounter.linePos(error.pos[0]).line,
      message: firstLine(error.message),
    })),
  );
  if (errors.length > 0) return { documents: [], errors };
  return {
    documents: documents
      .filter(({ contents }) => contents !== null)
      .map((document) => wrap(document, lineCounter)),
    errors,
  };
}

function wrap(document: Document.Parsed, lineCounter: LineCounter): YamlDocument {
  const positionOf = (path: readonly (string | number)[]): YamlPosition => {
    for (let length = path.length; length >= 0; length--) {
      const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
      const range = (node as { range?: readonly number[] } | undefined)?.range;
      if (range?.[0] !== undefined) return at(lineCounter, range[0]);
    }
    return { line: 1, column: 1 };
  };
  return { value: document.toJS({ maxAliasCount: 100 }), positionOf };
}

function firstLine(message: string): string {
  return message.split('\n')[0] ?? message;
}

function at(lineCounter: LineCounter, offset: number): YamlPosition {
  const { line, col } = lineCounter.linePos(offset);
  return { line, column: col };
}
