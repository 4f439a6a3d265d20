// Validates JSON against the part of JSON Schema that Prometheus's OpenAPI description uses.

export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly enum?: readonly unknown[];
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly nullable?: boolean;
}

export interface Fault {
  /** `data.result[].metric`: places in a list are alike. */
  readonly path: string;
  readonly reason: string;
}

export class SchemaValidator {
  readonly #schemas: Readonly<Record<string, Schema>>;

  /** `components.schemas` of the description. */
  constructor(schemas: Readonly<Record<string, Schema>>) {
    this.#schemas = schemas;
  }

  faults(value: unknown, given: Schema, path = ''): Fault[] {
    const schema = this.#resolve(given);
    const alternatives = schema.anyOf ?? schema.oneOf;
    if (alternatives !== undefined) return this.#alternatives(value, alternatives, path);
    if (schema.enum !== undefined && !schema.enum.includes(value))
      return [{ path, reason: `${JSON.stringify(value)}, want one of ${schema.enum.join(', ')}` }];
    const types = typeof schema.type === 'string' ? [schema.type] : (schema.type ?? []);
    if (types.length > 0 && !types.some((type) => isOfType(value, type)))
      return [{ path, reason: `${typeOf(value)}, want ${types.join(' or ')}` }];
    if (Array.isArray(value)) return this.#list(value, schema, path);
    if (typeof value === 'object' && value !== null)
      return this.#object(value as Readonly<Record<string, unknown>>, schema, path);
    return [];
  }

  #resolve(schema: Schema): Schema {
    if (schema.$ref === undefined) return schema;
    const name = schema.$ref.split('/').at(-1) ?? '';
    const found = this.#schemas[name];
    if (found === undefined) throw new Error(`schema ${schema.$ref}: not in the description`);
    return this.#resolve(found);
  }

  /** Those of the nearest alternative. */
  #alternatives(value: unknown, schemas: readonly Schema[], path: string): Fault[] {
    const all = schemas.map((schema) => this.faults(value, schema, path));
    return all.toSorted((a, b) => a.length - b.length)[0] ?? [];
  }

  #list(
    value: readonly unknown[],
    { items, minItems = 0, maxItems = Infinity }: Schema,
    path: string,
  ): Fault[] {
    if (value.length < minItems || value.length > maxItems)
      return [{ path, reason: `${value.length} items, want ${minItems} to ${maxItems}` }];
    return items === undefined ? [] : value.flatMap((item) => this.faults(item, items, `${path}[]`));
  }

  #object(value: Readonly<Record<string, unknown>>, schema: Schema, path: string): Fault[] {
    const { properties = {}, required = [], additionalProperties } = schema;
    const missing = required.filter((name) => value[name] === undefined);
    const faults = missing.map((name) => ({ path: `${path}.${name}`, reason: 'is missing' }));
    for (const [name, one] of Object.entries(value)) {
      const known = Object.hasOwn(properties, name) ? properties[name] : additionalProperties;
      const where = `${path}.${name}`;
      if (known === false) faults.push({ path: where, reason: 'is not in the description' });
      else if (typeof known === 'object') faults.push(...this.faults(one, known, where));
    }
    return faults;
  }
}

function isOfType(value: unknown, type: string): boolean {
  if (type === 'integer') return Number.isInteger(value);
  return typeOf(value) === type;
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}
