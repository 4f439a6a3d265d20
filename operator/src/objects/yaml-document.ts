// Cuts a manifest file into its YAML documents, so that a broken one does not take its neighbours with it.
//
// js-yaml parses (fast), `yaml` is asked for positions only when there is something to complain about.
// Limits: nesting 100, aliases 100 a document, and nodes after expansion of aliases, so that an alias bomb ends early.

import { CORE_SCHEMA, load, mergeTag, Schema, YAMLException } from 'js-yaml';
import { isNode, LineCounter, parseDocument } from 'yaml';

export interface YamlDocument {
  readonly text: string;
  /** Line of the file on which `text` begins. */
  readonly firstLine: number;
}

const schema = new Schema([...CORE_SCHEMA.tags, mergeTag]);
const limits = { maxDepth: 100, maxAliases: 100 };
const nodesMax = 1_000_000;

/** The documents that are not empty. `---` in the first column always separates, even within a broken document. */
export function splitDocuments(text: string): YamlDocument[] {
  const documents: YamlDocument[] = [];
  let lines: string[] = [];
  let firstLine = 1;
  const cut = (nextLine: number): void => {
    if (lines.some((line) => /^\s*[^#\s]/.test(line))) documents.push({ text: lines.join('\n'), firstLine });
    lines = [];
    firstLine = nextLine;
  };
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const separator = /^(---|\.\.\.)(\s|$)/.exec(line);
    if (separator === null) lines.push(line);
    else cut(index + 1);
    if (separator?.[1] === '---') lines.push(line.slice(3));
  }
  cut(0);
  return documents;
}

/** A document's syntax error. */
export class YamlError extends Error {
  readonly line: number;
  constructor(line: number, reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.line = line;
  }
}

/** The selectors of a Fleet: one that is null selects nothing. Nothing else has fields of these names. */
const nullable = /^(serviceMonitor|podMonitor|probe|scrapeConfig|rule)(Namespace)?Selector$/;

/** The document's value without nulls, which mean absent everywhere but there. Throws YamlError. */
export function parseYaml({ text, firstLine }: YamlDocument): unknown {
  try {
    return withoutNulls(load(text, { schema, ...limits }));
  } catch (err) {
    if (!(err instanceof YAMLException)) throw err;
    throw new YamlError(firstLine + (err.mark?.line ?? 0), `yaml: ${err.reason}`, { cause: err });
  }
}

function withoutNulls(root: unknown): unknown {
  let nodes = 0;
  const copy = (value: unknown): unknown => {
    if (++nodes > nodesMax) throw new YAMLException(`more than ${nodesMax} nodes`);
    if (Array.isArray(value)) return value.map(copy);
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).filter(
      ([key, child]) => child !== undefined && (child !== null || nullable.test(key)),
    );
    return Object.fromEntries(entries.map(([key, child]) => [key, copy(child)]));
  };
  return copy(root);
}

/** Line of the node at `path`, or of its nearest ancestor that exists. */
export function lineOf({ text, firstLine }: YamlDocument, path: readonly PropertyKey[]): number {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, merge: true, logLevel: 'silent' });
  for (let length = path.length; length >= 0; length--) {
    const node: unknown = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return firstLine + lineCounter.linePos(node.range[0]).line - 1;
  }
  return firstLine;
}
