// `flotilla check manifests`: what can be said of a manifest without a cluster: YAML, apiVersion, kind and name, duplicates,
// durations, relabelings, and the rules of PrometheusRules. Field by field the operator knows more; it tells when it runs.

import { parseDuration, parseRelabelRule } from '@flotilla/model';
import type { RelabelConfig } from '@flotilla/model';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { checkRuleText } from './check-rules.ts';
import type { Printer } from './query.ts';
import { parseYaml } from './yaml-file.ts';
import type { YamlDocument } from './yaml-file.ts';

interface Problem {
  readonly line: number;
  readonly message: string;
}

type Path = readonly (string | number)[];

const durationFields = new Set([
  'interval',
  'scrapeTimeout',
  'scrapeInterval',
  'evaluationInterval',
  'retention',
  'refreshInterval',
]);
const relabelFields = new Set(['relabelings', 'metricRelabelings', 'relabelingConfigs']);
const depthMax = 64;

/** Checks files and folders; returns whether all are good. */
export function checkManifests(paths: readonly string[], printer: Printer): boolean {
  const files = paths.flatMap(manifestFiles);
  const seen = new Map<string, string>();
  let good = files.length > 0;
  if (!good) printer.err(`${paths.join(' ')}: no .yaml, .yml or .json file found`);
  for (const file of files) {
    const { objects, problems } = checkManifestText(readFileSync(file, 'utf8'), file, seen);
    for (const { line, message } of problems) printer.err(`${file}:${line}: ${message}`);
    if (problems.length === 0) printer.out(`${file}: ${objects} objects`);
    good &&= problems.length === 0;
  }
  return good;
}

function manifestFiles(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(ya?ml|json)$/.test(name))
    .map((name) => join(path, name))
    .toSorted();
}

/** `seen` maps kind/namespace/name to the place that first had it. */
export function checkManifestText(
  text: string,
  file: string,
  seen: Map<string, string>,
): { objects: number; problems: Problem[] } {
  const { documents, errors } = parseYaml(text);
  const problems = [...errors, ...documents.flatMap((document) => checkObject(document, file, seen))];
  const hasRules = documents.some(({ value }) => (value as { kind?: unknown }).kind === 'PrometheusRule');
  if (hasRules && documents.every(({ value }) => (value as { kind?: unknown }).kind === 'PrometheusRule')) {
    problems.push(...checkRuleText(text).errors);
  }
  return { objects: documents.length, problems };
}

function checkObject(document: YamlDocument, file: string, seen: Map<string, string>): Problem[] {
  const { apiVersion, kind, metadata } = document.value as Readonly<Record<string, unknown>>;
  const { name, namespace } = (metadata ?? {}) as Readonly<Record<string, unknown>>;
  const line = document.positionOf([]).line;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string')
    return [{ line, message: 'want apiVersion and kind' }];
  if (typeof name !== 'string' || name === '')
    return [{ line: document.positionOf(['metadata']).line, message: `${kind}: want metadata.name` }];
  const key = `${kind}/${typeof namespace === 'string' ? namespace : 'default'}/${name}`;
  const first = seen.get(key);
  seen.set(key, first ?? `${file}:${line}`);
  const problems = first === undefined ? [] : [{ line, message: `${key}: is already at ${first}` }];
  visit(document.value, [], (path, field, value) => {
    const message = checkField(field, value);
    if (message !== '')
      problems.push({
        line: document.positionOf(path).line,
        message: `${key}: ${path.join('.')}: ${message}`,
      });
  });
  return problems;
}

function visit(value: unknown, path: Path, check: (path: Path, field: string, value: unknown) => void): void {
  if (typeof value !== 'object' || value === null || path.length > depthMax) return;
  for (const [field, child] of Object.entries(value)) {
    const childPath = [...path, Array.isArray(value) ? Number(field) : field];
    check(childPath, field, child);
    visit(child, childPath, check);
  }
}

function checkField(field: string, value: unknown): string {
  try {
    if (durationFields.has(field) && typeof value === 'string') parseDuration(value);
    if (relabelFields.has(field) && Array.isArray(value))
      for (const rule of value) parseRelabelRule(rule as RelabelConfig);
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}
