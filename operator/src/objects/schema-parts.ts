// Pieces that the schemas of several kinds share. A transform turns text into what it means (ms, bytes, a rule) at the edge,
// so that a bad value is found with its path, and never again.

import { parseByteSize, parseDuration, parseRelabelRule, type RelabelConfig } from '@flotilla/model';
import { errorText } from '@flotilla/chassis';
import { z } from 'zod';

/** Runs a parser that throws; its text becomes the issue. */
export function parsed<I extends z.ZodType, T>(input: I, parse: (value: z.output<I>) => T) {
  return input.transform((value, context): T => {
    try {
      return parse(value);
    } catch (err) {
      context.addIssue({ code: 'custom', message: errorText(err), input: value });
      return z.NEVER;
    }
  });
}

const yamlWords = new Map([
  ['yes', true],
  ['on', true],
  ['no', false],
  ['off', false],
]);

/** Manifests may say yes and off, which kubectl reads as booleans. */
export const boolean = z.preprocess(
  (value) => (typeof value === 'string' ? (yamlWords.get(value.toLowerCase()) ?? value) : value),
  z.boolean(),
);

const durationPattern =
  '^(0|(([0-9]+)y)?(([0-9]+)w)?(([0-9]+)d)?(([0-9]+)h)?(([0-9]+)m)?(([0-9]+)s)?(([0-9]+)ms)?)$';

/** Milliseconds; '' means not given, as in the Prometheus operator. */
export const durationMs = parsed(z.string(), (text) => (text === '' ? undefined : parseDuration(text))).meta({
  pattern: durationPattern,
});
/** A duration that stays the text it is. */
export const durationText = z
  .string()
  .refine((text) => durationMs.safeParse(text).success, 'want a duration such as 30s or 1h30m')
  .meta({ pattern: durationPattern });
export const byteSize = parsed(z.string(), (text) => (text === '' ? undefined : parseByteSize(text))).meta({
  pattern: '(^0|([0-9]*[.])?[0-9]+((K|M|G|T|E|P)i?)?B)$',
});
/** Marks a default that the API server writes into the object, where others are left to the operator: what reads it must find it. */
export const persistedDefault = { 'x-persisted-default': true };

/** A rule over several fields, in CEL for an API server; without `holds` it is one about changes, which files do not show. */
export interface Constraint<T> {
  readonly rule: string;
  readonly message: string;
  readonly holds?: (value: T) => boolean;
}

export function constrained<S extends z.ZodType>(
  schema: S,
  constraints: readonly Constraint<z.output<S>>[],
): S {
  let checked: S = schema;
  for (const { holds, message } of constraints)
    if (holds !== undefined) checked = checked.refine(holds, message);
  const rules = constraints.map(({ rule, message }) => ({ rule, message }));
  return checked.meta({ 'x-kubernetes-validations': rules });
}

/** A field that may be missing, with its description. */
export function optional<S extends z.ZodType>(schema: S, description: string) {
  return schema.optional().describe(description);
}

export const limit = z.int().min(0);
export const strings = z.array(z.string());
export const stringMap = z.record(z.string(), z.string());

const atomicList = strings.meta({ 'x-kubernetes-list-type': 'atomic' });
const atomicMap = { 'x-kubernetes-map-type': 'atomic' };

/** A map that is written whole: two writers do not each own keys of it. */
export function atomic<S extends z.ZodType>(schema: S): S {
  return schema.meta(atomicMap);
}

/** A list of which no value comes twice. */
export function listSet<S extends z.ZodType<string>>(item: S) {
  return z
    .array(item)
    .refine((values) => new Set(values).size === values.length, 'want every value once')
    .meta({ 'x-kubernetes-list-type': 'set' });
}

/** A list of objects of which no two have the same keys. */
export function listMap<S extends z.ZodObject>(item: S, ...keys: readonly (keyof z.output<S> & string)[]) {
  const identity = (value: z.output<S>): string => JSON.stringify(keys.map((key) => value[key]));
  return z
    .array(item)
    .refine(
      (values) => new Set(values.map(identity)).size === values.length,
      `want every ${keys.join(', ')} once`,
    )
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': keys });
}

const placeholder = /\$\((SHARD|INZONE_SHARD|TOPOLOGY_ZONE|POD_NAME)\)/;

function parseRelabeling(config: RelabelConfig) {
  for (const [field, value] of Object.entries(config)) {
    const found = placeholder.exec(String(value));
    if (found === null) continue;
    throw new RangeError(`${field}: ${found[0]} differs per replica, want a rule that holds for all of them`);
  }
  return parseRelabelRule(config);
}

const relabelActions = [
  'replace',
  'Replace',
  'keep',
  'Keep',
  'drop',
  'Drop',
  'hashmod',
  'HashMod',
  'labelmap',
  'LabelMap',
  'labeldrop',
  'LabelDrop',
  'labelkeep',
  'LabelKeep',
  'lowercase',
  'Lowercase',
  'uppercase',
  'Uppercase',
  'keepequal',
  'KeepEqual',
  'dropequal',
  'DropEqual',
];

const relabelFields = z.strictObject({
  sourceLabels: strings
    .exactOptional()
    .describe('Labels whose values, joined, the regex is matched against.'),
  separator: z.string().exactOptional().describe('Between the values of the source labels; ";" when absent.'),
  targetLabel: z
    .string()
    .exactOptional()
    .describe('Label to set: for replace, hashmod, lowercase, uppercase, keepequal and dropequal.'),
  regex: z.string().exactOptional().describe('RE2 that matches the whole text; (.*) when absent.'),
  modulus: limit.exactOptional().describe('Of the hash of the source labels, for hashmod.'),
  replacement: z.string().exactOptional().describe('With $1 for what the regex captured; "$1" when absent.'),
  action: z
    .string()
    .exactOptional()
    .meta({
      ...persistedDefault,
      description: 'What to do where the regex matches.',
      enum: relabelActions,
      default: 'replace',
    }),
});

/** A checked RelabelRule. */
export const relabeling = parsed(relabelFields, parseRelabeling);

const operators = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const;

/** An API server takes any operator and key; the object is refused when it is read. */
const requirement = z
  .strictObject({
    key: z.string().min(1).meta({ minLength: undefined, description: 'Name of the label.' }),
    operator: z.enum(operators).meta({ enum: undefined, description: 'In, NotIn, Exists or DoesNotExist.' }),
    values: atomicList.default([]).describe('For In and NotIn: one at least. For the others: none.'),
  })
  .refine(
    ({ operator, values }) =>
      operator === 'In' || operator === 'NotIn' ? values.length > 0 : values.length === 0,
    'values: want some for In and NotIn, none for Exists and DoesNotExist',
  );

/** A metav1.LabelSelector; {} selects everything. */
export const labelSelector = atomic(
  z.strictObject({
    matchLabels: stringMap.default({}).describe('Labels that must have these values.'),
    matchExpressions: z
      .array(requirement)
      .meta({ 'x-kubernetes-list-type': 'atomic' })
      .default([])
      .describe('Requirements, all of which must hold.'),
  }),
);
export type LabelSelector = z.output<typeof labelSelector>;

const labelKey =
  /^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const labelValue = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;

function illegalLabel({ matchLabels, matchExpressions }: LabelSelector): string | undefined {
  const keys = [...Object.keys(matchLabels), ...matchExpressions.map(({ key }) => key)];
  const values = [...Object.values(matchLabels), ...matchExpressions.flatMap((one) => one.values)];
  const key = keys.find((one) => !labelKey.test(one));
  if (key !== undefined) return `label ${JSON.stringify(key)}, want letters, digits, -, _ and .`;
  const value = values.find((one) => !labelValue.test(one));
  return value === undefined ? undefined : `value ${JSON.stringify(value)}, want letters, digits, -, _ and .`;
}

/** A selector that no object could ever match is refused. */
export const monitorSelector = labelSelector.superRefine((selector, context) => {
  const message = illegalLabel(selector);
  if (message !== undefined) context.addIssue({ code: 'custom', message, input: selector });
});

export const namespaceSelector = z.strictObject({
  any: boolean.default(false).describe('All namespaces; wins over matchNames.'),
  matchNames: strings.default([]).describe('Names of namespaces.'),
});
export type NamespaceSelector = z.output<typeof namespaceSelector>;

export const intOrString = z.union([z.int(), z.string()]);

/** A resource.Quantity, as text or a number. */
export const quantity = z.union([
  z.number(),
  z
    .string()
    .regex(
      /^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$/,
      'want a quantity like 500m, 2 or 10Gi',
    ),
]);
