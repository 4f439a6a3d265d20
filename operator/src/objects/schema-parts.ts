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
const byteSizePattern = '(^0|([0-9]*[.])?[0-9]+((K|M|G|T|E|P)i?)?B)$';
/** As the API server takes them with the Prometheus operator's CRDs: in small letters, or in camel case. */
const relabelActions = [
  ...['replace', 'keep', 'drop', 'hashmod', 'labelmap', 'labeldrop', 'labelkeep'],
  ...['lowercase', 'uppercase', 'keepequal', 'dropequal'],
  ...['Replace', 'Keep', 'Drop', 'HashMod', 'LabelMap', 'LabelDrop', 'LabelKeep'],
  ...['Lowercase', 'Uppercase', 'KeepEqual', 'DropEqual'],
];

/** Milliseconds; '' means not given, as in the Prometheus operator. */
export const durationMs = parsed(z.string().meta({ pattern: durationPattern }), (text) => (text === '' ? undefined : parseDuration(text)));
export const byteSize = parsed(z.string().meta({ pattern: byteSizePattern }), (text) => (text === '' ? undefined : parseByteSize(text)));
export const limit = z.int().min(0);
export const strings = z.array(z.string());
export const stringMap = z.record(z.string(), z.string());

const placeholder = /\$\((SHARD|INZONE_SHARD|TOPOLOGY_ZONE|POD_NAME)\)/;

function parseRelabeling(config: RelabelConfig) {
  for (const [field, value] of Object.entries(config)) {
    const found = placeholder.exec(String(value));
    if (found === null) continue;
    throw new RangeError(`${field}: ${found[0]} differs per replica, want a rule that holds for all of them`);
  }
  return parseRelabelRule(config);
}

const relabelFields = z.strictObject({
  sourceLabels: strings.exactOptional(),
  separator: z.string().exactOptional(),
  targetLabel: z.string().exactOptional(),
  regex: z.string().exactOptional(),
  modulus: z.int().min(0).exactOptional(),
  replacement: z.string().exactOptional(),
  action: z.string().meta({ enum: relabelActions }).exactOptional(),
});

/** A checked RelabelRule. */
export const relabeling = parsed(relabelFields, parseRelabeling);

const operators = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const;

const requirement = z
  .strictObject({ key: z.string().min(1), operator: z.enum(operators), values: strings.default([]) })
  .refine(
    ({ operator, values }) =>
      operator === 'In' || operator === 'NotIn' ? values.length > 0 : values.length === 0,
    'values: want some for In and NotIn, none for Exists and DoesNotExist',
  );

/** A metav1.LabelSelector; {} selects everything. */
export const labelSelector = z.strictObject({
  matchLabels: stringMap.default({}),
  matchExpressions: z.array(requirement).default([]),
});
export type LabelSelector = z.output<typeof labelSelector>;

export const namespaceSelector = z.strictObject({
  any: boolean.default(false),
  matchNames: strings.default([]),
});
export type NamespaceSelector = z.output<typeof namespaceSelector>;

export const intOrString = z.union([z.int(), z.string()]);
