// OpenAPI descriptions of the API, Prometheus's and ours, and answers checked against them.

import { load } from 'js-yaml';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SchemaValidator } from './schema-validator.ts';
import type { Schema } from './schema-validator.ts';

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly required?: boolean }[];
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema?: Schema }>> }>
  >;
}

export interface Checked {
  readonly status: number;
  /** The path of each fault, and why. */
  readonly faults: readonly string[];
}

export class Description {
  readonly #paths: Document['paths'];
  readonly #validator: SchemaValidator;

  constructor(text: string) {
    const { paths, components } = load(text) as Document;
    this.#paths = paths;
    this.#validator = new SchemaValidator(components.schemas);
  }

  /** All that can be asked for with GET. */
  get paths(): readonly string[] {
    return Object.keys(this.#paths).filter((path) => this.#paths[path]?.['get'] !== undefined);
  }

  /** Of GET; those that are required end in `!`. */
  parametersOf(path: string): readonly string[] {
    const parameters = this.#paths[path]?.['get']?.parameters ?? [];
    return parameters.map(({ name, required }) => `${name}${required === true ? '!' : ''}`);
  }

  /** Asks for a path of the description, whose `{name}` is the label job, and validates the answer. */
  async check(server: string, path: string, query: string): Promise<Checked> {
    const response = await fetch(`${server}/api/v1${path.replace('{name}', 'job')}?${query}`);
    const { responses } = this.#paths[path]!['get']!;
    const { content } = responses[String(response.status)] ?? responses['default'] ?? {};
    const schema = content?.['application/json']?.schema;
    const body: unknown = await response.json().catch(() => 'no JSON');
    const faults = schema === undefined ? [] : this.#validator.faults(body, schema);
    return {
      status: response.status,
      faults: [...new Set(faults.map(({ path: where, reason }) => `${where}: ${reason}`))],
    };
  }
}

const file = join('web', 'api', 'v1', 'testdata', 'openapi_3.1_golden.yaml');

export const prometheusDescription = new Description(
  readFileSync(join(process.env['FLOTILLA_PROMETHEUS_SOURCES'] ?? '', file), 'utf8'),
);
