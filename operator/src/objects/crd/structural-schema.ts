// From a zod type to the structural schema of a CustomResourceDefinition: JSON Schema without what the API server does not allow there.

import { z } from 'zod';
import { fieldDescription } from './field-descriptions.ts';

export type Schema = Readonly<Record<string, unknown>>;

/** Fields that are written into objects where they are missing: those that the scale subresource must find. */
const keptDefaults: ReadonlySet<string> = new Set(['shards']);

/** What a manifest may contain, before transformations and defaults. */
export function structuralSchema(type: z.ZodType): Schema {
  const schema = z.toJSONSchema(type, { io: 'input', unrepresentable: 'any' });
  return convert(schema, '', []);
}

/** `name` is that of the field which the schema is for, `path` those of all around it. */
function convert(schema: Schema, name: string, path: readonly string[]): Schema {
  const described = { ...describe(schema, name, path), ...nullable(schema) };
  const variants = variantsOf(schema);
  if (variants !== undefined) {
    if (variants.length === 1) return { ...convert(variants[0]!, name, path), ...described };
    if (variants.every(({ type }) => type === 'integer' || type === 'number' || type === 'string'))
      return { ...described, ...intOrString };
  }
  const converted: Record<string, unknown> = { ...described };
  for (const [key, value] of Object.entries(schema)) {
    switch (key) {
      case 'type':
      case 'enum':
      case 'pattern':
      case 'minLength':
      case 'maxLength':
      case 'minItems':
      case 'maxItems':
      case 'minProperties':
      case 'required':
        converted[key] = value;
        break;
      case 'const':
        converted['enum'] = [value];
        break;
      case 'minimum':
      case 'maximum':
        if (Math.abs(value as number) !== Number.MAX_SAFE_INTEGER) converted[key] = value;
        break;
      case 'exclusiveMinimum':
        if (value === 0 && schema['type'] === 'integer') converted['minimum'] = 1;
        break;
      case 'default':
        if (keptDefaults.has(name) && path.length <= 2) converted['default'] = value;
        break;
      case 'properties':
        converted['properties'] = properties(value as Readonly<Record<string, Schema>>, path, name);
        break;
      case 'items':
        converted['items'] = convert(value as Schema, name, [...path, name]);
        break;
      case 'additionalProperties':
        Object.assign(converted, additional(value, name, path));
        break;
      default:
        if (key.startsWith('x-kubernetes-')) converted[key] = value;
    }
  }
  if (converted['type'] === 'integer') converted['format'] = 'int64';
  if (converted['type'] === undefined && converted['enum'] !== undefined) converted['type'] = 'string';
  if (converted['type'] === undefined) converted['x-kubernetes-preserve-unknown-fields'] = true;
  return converted;
}

const intOrString = {
  'x-kubernetes-int-or-string': true,
  anyOf: [{ type: 'integer' }, { type: 'string' }],
};

function properties(
  fields: Readonly<Record<string, Schema>>,
  path: readonly string[],
  name: string,
): Readonly<Record<string, Schema>> {
  const inner = name === '' ? path : [...path, name];
  const names = Object.keys(fields).toSorted();
  return Object.fromEntries(names.map((field) => [field, convert(fields[field]!, field, inner)]));
}

/** A map by any key; an object that may have any field; or neither. */
function additional(value: unknown, name: string, path: readonly string[]): Schema {
  if (value === false) return {};
  const inner = value as Schema;
  if (Object.keys(inner).length === 0) return { 'x-kubernetes-preserve-unknown-fields': true };
  const { description: _, ...item } = convert(inner, name, path);
  return { additionalProperties: item };
}

/** The alternatives of a union without null, unions in unions included. */
function variantsOf(schema: Schema): readonly Schema[] | undefined {
  const variants = schema['anyOf'] as readonly Schema[] | undefined;
  return variants
    ?.filter(({ type }) => type !== 'null')
    .flatMap((variant) => variantsOf(variant) ?? [variant]);
}

function nullable(schema: Schema): Schema {
  const variants = schema['anyOf'] as readonly Schema[] | undefined;
  return variants?.some(({ type }) => type === 'null') === true ? { nullable: true } : {};
}

function describe(schema: Schema, name: string, path: readonly string[]): Schema {
  const description = (schema['description'] as string | undefined) ?? fieldDescription(name, path);
  return description === undefined ? {} : { description };
}
