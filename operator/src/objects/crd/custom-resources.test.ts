import { describe, expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crdText } from './crd-text.ts';
import { crdFiles } from './custom-resources.ts';
import type { Schema } from './structural-schema.ts';

const repository = fileURLToPath(new URL('../../../../', import.meta.url));
const files = crdFiles();
/** What kubectl apply writes into an annotation may have this many bytes. */
const bytesMax = 262_144;
const descriptionMax = 200;

function schemaOf(crd: object): Schema {
  const { spec } = JSON.parse(JSON.stringify(crd)) as {
    spec: { versions: { schema: { openAPIV3Schema: Schema } }[] };
  };
  return spec.versions[0]!.schema.openAPIV3Schema;
}

/** Every schema in it, with its path. */
function* visit(schema: Schema, path: string): Generator<readonly [string, Schema]> {
  yield [path, schema];
  const {
    properties = {},
    items,
    additionalProperties,
  } = schema as {
    properties?: Readonly<Record<string, Schema>>;
    items?: Schema;
    additionalProperties?: Schema;
  };
  for (const [name, one] of Object.entries(properties)) yield* visit(one, `${path}.${name}`);
  if (items !== undefined) yield* visit(items, `${path}[]`);
  if (additionalProperties !== undefined) yield* visit(additionalProperties, `${path}{}`);
}

describe('the files in crds/ and in the chart', () => {
  test('are those of the schemas: else run node operator/dist/objects/crd/write-crds.js .', () => {
    const names = readdirSync(join(repository, 'crds')).filter((name) => name.endsWith('.yaml'));
    expect(names).toEqual(files.map(({ file }) => file));
    for (const { file, folders, crd } of files) {
      for (const folder of folders)
        expect(readFileSync(join(repository, folder, file), 'utf8')).toBe(crdText(crd));
    }
  });

  test('are small enough for kubectl apply', () => {
    for (const { crd } of files) expect(crdText(crd).length).toBeLessThan(bytesMax);
  });
});

describe.each(files.map(({ file, crd }) => [file, schemaOf(crd)] as const))('%s', (_file, root) => {
  const all = [...visit(root, '')];

  test('describes every field, in short', () => {
    const isField = (path: string): boolean => /\w$/.test(path) && path !== '.metadata';
    const fields = all.filter(([path]) => isField(path));
    const undescribed = fields.filter(([, { description }]) => {
      const text = (description ?? '') as string;
      return text.length < 3 || text.length > descriptionMax || !text.endsWith('.');
    });
    expect(undescribed.map(([path, { description }]) => `${path}: ${String(description)}`)).toEqual([]);
  });

  test('is structural: one type everywhere, and nothing that the API server does not allow', () => {
    const isTyped = (schema: Schema): boolean =>
      ['object', 'array', 'string', 'integer', 'number', 'boolean'].includes(schema['type'] as string) ||
      schema['x-kubernetes-int-or-string'] === true ||
      schema['x-kubernetes-preserve-unknown-fields'] === true;
    expect(all.filter(([, schema]) => !isTyped(schema)).map(([path]) => path)).toEqual([]);
    const forbidden = ['additionalItems', '$ref', 'definitions', 'const', 'oneOf', 'x-persisted-default'];
    expect(all.filter(([, schema]) => forbidden.some((key) => key in schema)).map(([path]) => path)).toEqual(
      [],
    );
    const both = all.filter(([, schema]) => 'properties' in schema && 'additionalProperties' in schema);
    expect(both.map(([path]) => path)).toEqual([]);
  });
});

describe('the Fleet', () => {
  const fields = new Map(visit(schemaOf(files[0]!.crd), ''));

  test('has a default only where the API server must find a value', () => {
    const defaults = [...fields].filter(([, schema]) => 'default' in schema);
    expect(defaults.map(([path, schema]) => [path, schema['default']])).toEqual([
      ['.spec.remoteWrite[].writeRelabelConfigs[].action', 'replace'],
      ['.spec.scrapeClasses[].metricRelabelings[].action', 'replace'],
      ['.spec.scrapeClasses[].relabelings[].action', 'replace'],
      ['.spec.shards', 1],
    ]);
  });

  test('says what the types cannot in rules', () => {
    const rules = fields.get('.spec')!['x-kubernetes-validations'] as { message: string }[];
    expect(rules.map(({ message }) => message)).toEqual([
      'scrapeClasses: at most one may be the default',
      'remoteWrite: names must differ, and so must URLs without a name',
      'shards: fewer than zones.names, with zones.local each zone needs one',
      'zones.local: cannot be changed, since every target would move at once; make another Fleet',
      'zones.names: cannot be changed while zones.local is set',
    ]);
  });

  test('tells selectors that select nothing from those that select all', () => {
    expect(fields.get('.spec.serviceMonitorSelector')).toMatchObject({ type: 'object', nullable: true });
  });
});
