// YAML documents of a file, with lines to point at.

import { LineCounter, parseAllDocuments } from 'yaml';
import type { Document } from 'yaml';

export interface YamlDocument {
  readonly value: unknown;
  /** Line of the node at a path, or of its nearest parent that exists. */
  lineAt(path: readonly (string | number)[]): number;
}

export interface YamlError {
  readonly line: number;
  readonly message: string;
}

/** Parses all documents; a file with a syntax error has no documents and the errors. */
export function parseYaml(text: string): { documents: YamlDocument[]; errors: YamlError[] } {
  const lineCounter = new LineCounter();
  const parsed = parseAllDocuments(text, { lineCounter });
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
  const lineAt = (path: readonly (string | number)[]): number => {
    for (let length = path.length; length >= 0; length--) {
      const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
      const range = (node as { range?: readonly number[] } | undefined)?.range;
      if (range?.[0] !== undefined) return lineCounter.linePos(range[0]).line;
    }
    return 1;
  };
  return { value: document.toJS({ maxAliasCount: 100 }), lineAt };
}

function firstLine(message: string): string {
  return message.split('\n')[0] ?? message;
}
