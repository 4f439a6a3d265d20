// JSON from elsewhere, checked field by field while it is read. What is wrong is told by its path, without its value,
// which may be a secret: `stores.3.url: want a string`.

export class JsonField {
  readonly path: string;
  readonly value: unknown;

  constructor(value: unknown, path = '') {
    this.value = value;
    this.path = path;
  }

  /** Neither missing nor null. */
  get isGiven(): boolean {
    return this.value !== undefined && this.value !== null;
  }

  /** What `read` makes of it; undefined if it is missing. */
  optional<T>(read: (field: JsonField) => T): T | undefined {
    return this.value === undefined ? undefined : read(this);
  }

  fail(want: string): never {
    throw new Error(`${this.path || 'top level'}: ${want}`);
  }

  /** A field of an object; one that is missing is a field, too. */
  at(name: string): JsonField {
    return this.child(name, this.record()[name]);
  }

  /** The fields of an object that has no others than these. */
  only(...names: readonly string[]): this {
    const others = Object.keys(this.record()).filter((name) => !names.includes(name));
    if (others.length > 0)
      throw new Error(others.map((name) => `${this.child(name, undefined).path}: unknown key`).join('; '));
    return this;
  }

  entries(): [string, JsonField][] {
    return Object.entries(this.record()).map(([name, value]) => [name, this.child(name, value)]);
  }

  items(): JsonField[] {
    const { value } = this;
    if (!Array.isArray(value)) return this.fail('want a list');
    return value.map((item, index) => this.child(`${index}`, item));
  }

  text(): string {
    return typeof this.value === 'string' ? this.value : this.fail('want a string');
  }

  /** A string that is not empty. */
  name(): string {
    return this.text() === '' ? this.fail('want a string that is not empty') : this.text();
  }

  number(): number {
    return typeof this.value === 'number' ? this.value : this.fail('want a number');
  }

  integer(min: number, max = Number.MAX_SAFE_INTEGER): number {
    const { value } = this;
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max)
      return value;
    return this.fail(`want an integer of ${min} to ${max}`);
  }

  boolean(): boolean {
    return typeof this.value === 'boolean' ? this.value : this.fail('want true or false');
  }

  oneOf<const T extends string>(...values: readonly T[]): T {
    return values.find((one) => one === this.value) ?? this.fail(`want one of ${values.join(', ')}`);
  }

  private record(): Readonly<Record<string, unknown>> {
    const { value } = this;
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Readonly<Record<string, unknown>>;
    return this.fail('want an object');
  }

  private child(name: string, value: unknown): JsonField {
    return new JsonField(value, this.path === '' ? name : `${this.path}.${name}`);
  }
}
