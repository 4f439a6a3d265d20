// One manifest value → a checked object, or why it is refused.

import { nearestName } from '@flotilla/chassis';
import { type AnyObject, kindInfo, type KindInfo } from './kinds.ts';
import { objectKey, type Origin } from './kube-object.ts';
import type { z } from 'zod';

/** What became of one manifest. */
export interface ParsedObject {
  /** `Kind/ns/name`; '' when the manifest does not say. */
  readonly key: string;
  readonly object?: AnyObject;
  readonly refusal?: ObjectIssue;
  readonly warnings: readonly ObjectIssue[];
  /** `apiVersion/kind` that nobody reads here. */
  readonly ignored?: string;
}

export interface ObjectIssue {
  readonly path: readonly PropertyKey[];
  readonly reason: string;
}

export function parseObject(value: unknown, origin: Origin): ParsedObject {
  const head = value as { apiVersion?: unknown; kind?: unknown } | undefined;
  if (typeof head !== 'object' || head === null || Array.isArray(head))
    return refused('', [], 'not a mapping');
  for (const field of ['apiVersion', 'kind'] as const) {
    if (typeof head[field] !== 'string') return refused('', [], `${field}: missing, want a text`);
  }
  const { apiVersion, kind } = head as { apiVersion: string; kind: string };
  const info = kindInfo(apiVersion, kind);
  if (info !== undefined) return parseKnown(info, value, origin);
  const wanted = wantedVersion(apiVersion, kind);
  if (wanted === undefined) return { key: '', warnings: [], ignored: `${apiVersion}/${kind}` };
  return refused(identityOf(value), ['apiVersion'], `apiVersion: ${apiVersion}, want ${wanted}`);
}

function refused(key: string, path: readonly PropertyKey[], reason: string): ParsedObject {
  return { key, refusal: { path, reason }, warnings: [] };
}

/** A known kind of a group that is ours to read, in a version that is not. */
function wantedVersion(apiVersion: string, kind: string): string | undefined {
  const group = apiVersion.split('/')[0];
  const versions = ['flotilla.dev/v1alpha1', 'monitoring.coreos.com/v1', 'monitoring.coreos.com/v1alpha1'];
  return versions.find((version) => version.split('/')[0] === group && kindInfo(version, kind) !== undefined);
}

/** `Kind/ns/name` of a value that need not be valid. */
export function identityOf(value: unknown): string {
  const { kind, metadata } = value as { kind?: unknown; metadata?: { name?: unknown; namespace?: unknown } };
  const { name, namespace = 'default' } = metadata ?? {};
  return typeof name === 'string' ? `${String(kind)}/${objectKey(String(namespace), name)}` : '';
}

function parseKnown(info: KindInfo, value: unknown, origin: Origin): ParsedObject {
  const warnings: ObjectIssue[] = [];
  let result = info.schema.safeParse(value);
  if (!result.success && info.unknownFields === 'warn') {
    const pruned = structuredClone(value);
    for (const issue of result.error.issues) pruneUnknown(pruned, issue, warnings);
    result = info.schema.safeParse(pruned);
  }
  if (!result.success) return { ...refusalOf(info, value, result.error.issues), warnings };
  const { metadata } = result.data as unknown as AnyObject;
  const namespace = info.namespaced ? metadata.namespace : '';
  const object = { ...result.data, metadata: { ...metadata, namespace }, origin } as unknown as AnyObject;
  return { key: `${info.name}/${objectKey(namespace, metadata.name)}`, object, warnings };
}

/** Drops fields that the kind does not have, as an API server does. */
function pruneUnknown(root: unknown, issue: z.core.$ZodIssue, warnings: ObjectIssue[]): void {
  if (issue.code !== 'unrecognized_keys') return;
  let parent = root as Record<PropertyKey, unknown>;
  for (const step of issue.path) parent = parent[step] as Record<PropertyKey, unknown>;
  for (const key of issue.keys) {
    delete parent[key];
    warnings.push({
      path: [...issue.path, key],
      reason: `${pathText([...issue.path, key])}: unknown field, left out`,
    });
  }
}

function refusalOf(info: KindInfo, value: unknown, issues: readonly z.core.$ZodIssue[]): ParsedObject {
  const { path, reason } = describeIssue(info.schema, issues[0]!);
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : '';
  const key = info.namespaced ? identityOf(value) : identityOf(value).replace('/default/', '/');
  return refused(key, path, reason + more);
}

function describeIssue(schema: z.ZodObject, issue: z.core.$ZodIssue): ObjectIssue {
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0]!;
    const path = [...issue.path, key];
    return { path, reason: `${pathText(path)}: unknown field${suggestion(schema, issue.path, key)}` };
  }
  const text = issue.message.replace(/^Invalid input: expected (\w+), received (\w+)$/, 'got $2, want $1');
  return { path: issue.path, reason: `${pathText(issue.path)}: ${text.replace('got undefined', 'missing')}` };
}

function suggestion(schema: z.ZodObject, path: readonly PropertyKey[], key: string): string {
  let current: unknown = schema;
  for (const step of path) current = unwrapped(shapeOf(unwrapped(current))[String(step)]);
  const nearest = nearestName(key, Object.keys(shapeOf(unwrapped(current))));
  return nearest === undefined ? '' : ` (did you mean ${nearest}?)`;
}

/** The schema below defaults and optionals. */
function unwrapped(schema: unknown): unknown {
  const inner = (schema as { def?: { innerType?: unknown } } | undefined)?.def?.innerType;
  return inner === undefined ? schema : unwrapped(inner);
}

function shapeOf(schema: unknown): Record<string, unknown> {
  return (schema as { shape?: Record<string, unknown> } | undefined)?.shape ?? {};
}

/** `spec.endpoints[0].port`. */
export function pathText(path: readonly PropertyKey[]): string {
  const text = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('');
  return text.replace(/^\./, '') || 'document';
}
