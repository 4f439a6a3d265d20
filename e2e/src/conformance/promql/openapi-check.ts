// Prometheus's OpenAPI description of its own API, and answers checked against it.

import { load } from 'js-yaml';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SchemaValidator } from './schema-validator.ts';
import type { Schema } from './schema-validator.ts';

interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

interface Operation {
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: Schema }>> }>
  >;
}

const file = join('web', 'api', 'v1', 'testdata', 'openapi_3.1_golden.yaml');
const text = readFileSync(join(process.env['FLOTILLA_PROMETHEUS_SOURCES'] ?? '', file), 'utf8');
const { paths, components } = load(text) as Description;
const validator = new SchemaValidator(components.schemas);
/** All that can be asked for with GET. */
export const describedPaths = Object.keys(paths).filter((path) => paths[path]?.['get'] !== undefined);

export interface Checked {
  readonly status: number;
  /** The path of each fault, and why. */
  readonly faults: readonly string[];
}

/** Asks for a path of the description, whose `{name}` is the label job, and validates the answer. */
export async function checkAnswer(server: string, path: string, query: string): Promise<Checked> {
  const url = `${server}/api/v1${path.replace('{name}', 'job')}?${query}`;
  const response = await fetch(url);
  const { responses } = paths[path]!['get']!;
  const schema = (responses[String(response.status)] ?? responses['default'])?.content?.['application/json']
    ?.schema;
  const body: unknown = await response.json().catch(() => 'no JSON');
  const faults = schema === undefined ? [] : validator.faults(body, schema);
  return {
    status: response.status,
    faults: [...new Set(faults.map(({ path: where, reason }) => `${where}: ${reason}`))],
  };
}
