// From a zod type to the structural schema of a CustomResourceDefinition: JSON Schema without what the API server does not allow there.

import { z } from 'zod';

export type Schema = Readonly<Record<string, unknown>>;

/** What JSON Schema and a structural schema have in common. */
const kept: ReadonlySet<string> = new Set([
  'type',
  'description',
  'enum',
  'pattern',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'minProperties',
  'required',
]);

/** What a manifest may contain, before transformations and defaults. */
export function structuralSchema(type: z.ZodType): Schema {
  return convert(z.toJSONSchema(type, { io: 'input', unrepresentable: 'any' }));
}

function convert(schema: Schema): Schema {
  const outer = { ...described(schema), ...nullable(schema) };
  const variants = variantsOf(schema);
  if (variants?.length === 1) return { ...convert(variants[0]!), ...outer };
  if (variants?.every(isIntOrString) === true) return { ...outer, ...intOrString, ...patternOf(variants) };
  const converted: Record<string, unknown> = { ...nullable(schema) };
  for (const [key, value] of Object.entries(schema)) Object.assign(converted, convertOne(key, value, schema));
  const { type, maximum = Infinity } = converted as { type?: string; maximum?: number };
  if (type === 'integer') converted['format'] = maximum < 2 ** 31 ? 'int32' : 'int64';
  if (type === undefined && converted['enum'] !== undefined) converted['type'] = 'string';
  if (converted['type'] === undefined) converted['x-kubernetes-preserve-unknown-fields'] = true;
  return converted;
}

function convertOne(key: string, value: unknown, schema: Schema): Schema {
  switch (key) {
    case 'const':
      return { enum: [value] };
    case 'minimum':
    case 'maximum':
      return Math.abs(value as number) === Number.MAX_SAFE_INTEGER ? {} : { [key]: value };
    case 'exclusiveMinimum':
      return value === 0 && schema['type'] === 'integer' ? { minimum: 1 } : {};
    // Others are left to the operator.
    case 'default':
      return schema['x-persisted-default'] === true ? { default: value } : {};
    case 'format':
      return value === 'date-time' ? { format: value } : {};
    case 'properties':
      return { properties: properties(value as Readonly<Record<string, Schema>>) };
    case 'items':
      return { items: convert(value as Schema) };
    case 'additionalProperties':
      return additional(value);
    default:
      return kept.has(key) || key.startsWith('x-kubernetes-') ? { [key]: value } : {};
  }
}

const intOrString = {
  'x-kubernetes-int-or-string': true,
  anyOf: [{ type: 'integer' }, { type: 'string' }],
};

function isIntOrString({ type }: Schema): boolean {
  return type === 'integer' || type === 'number' || type === 'string';
}

function patternOf(variants: readonly Schema[]): Schema {
  const pattern = variants.find((variant) => variant['pattern'] !== undefined)?.['pattern'];
  return pattern === undefined ? {} : { pattern };
}

function properties(fields: Readonly<Record<string, Schema>>): Readonly<Record<string, Schema>> {
  const names = Object.keys(fields).toSorted();
  return Object.fromEntries(names.map((name) => [name, convert(fields[name]!)]));
}

/** A map by any key; an object that may have any field; or neither. */
function additional(value: unknown): Schema {
  if (value === false) return {};
  const inner = value as Schema;
  if (Object.keys(inner).length === 0) return { 'x-kubernetes-preserve-unknown-fields': true };
  const { description: _, ...item } = convert(inner);
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

function described({ description }: Schema): Schema {
  return description === undefined ? {} : { description };
}
