// The shapes of answers, as JSON Schema.

export type Schema = Readonly<Record<string, unknown>>;

/** By name; `ref` refers to one. */
export const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });
export const text: Schema = { type: 'string' };
export const integer: Schema = { type: 'integer' };
export const boolean: Schema = { type: 'boolean' };
const number: Schema = { type: 'number' };
const seconds: Schema = { type: 'number', description: 'Seconds.' };
const dateTime: Schema = { type: 'string', format: 'date-time' };
export const anyObject: Schema = { type: 'object' };
export const listOf = (items: Schema): Schema => ({ type: 'array', items });
export const oneOfTexts = (...values: readonly string[]): Schema => ({ type: 'string', enum: values });
const pairOf = (items: Schema, description: string): Schema => ({
  ...listOf(items),
  minItems: 2,
  maxItems: 2,
  description,
});

/** Names that end in `?` may be missing. */
export function objectOf(properties: Readonly<Record<string, Schema>>): Schema {
  const names = Object.keys(properties);
  return {
    type: 'object',
    required: names.filter((name) => !name.endsWith('?')),
    properties: Object.fromEntries(names.map((name) => [name.replace('?', ''), properties[name]!])),
  };
}

/** Prometheus's envelope of what went well. */
export function answerOf(data: Schema): Schema {
  return objectOf({ status: oneOfTexts('success'), data, 'warnings?': ref('Texts'), 'infos?': ref('Texts') });
}

const result = (types: readonly string[], value: Schema): Schema =>
  objectOf({ resultType: oneOfTexts(...types), result: value, 'stats?': anyObject });

export const schemas: Readonly<Record<string, Schema>> = {
  Time: {
    description: 'Seconds since 1970 with up to three decimals, or RFC 3339.',
    oneOf: [number, dateTime],
  },
  Duration: { description: "Seconds, or Prometheus's form such as 1h30m.", oneOf: [number, text] },
  Texts: listOf(text),
  Labels: { type: 'object', additionalProperties: text },
  Error: objectOf({
    status: oneOfTexts('error'),
    errorType: oneOfTexts(
      'bad_data',
      'execution',
      'canceled',
      'timeout',
      'internal',
      'unavailable',
      'not_found',
      'not_acceptable',
    ),
    error: text,
    'data?': {},
    'warnings?': ref('Texts'),
    'infos?': ref('Texts'),
  }),
  Result: {
    anyOf: [
      result(['vector'], listOf(ref('VectorSample'))),
      result(['matrix'], listOf(ref('MatrixSeries'))),
      result(['scalar', 'string'], ref('Point')),
    ],
  },
  VectorSample: objectOf({
    metric: ref('Labels'),
    'value?': ref('Point'),
    'histogram?': ref('HistogramPoint'),
  }),
  MatrixSeries: objectOf({
    metric: ref('Labels'),
    'values?': listOf(ref('Point')),
    'histograms?': listOf(ref('HistogramPoint')),
  }),
  Point: pairOf(
    { type: ['number', 'string'] },
    'Seconds, and the value as text, such as "1e+21", "NaN" or "+Inf".',
  ),
  HistogramPoint: pairOf({ anyOf: [number, ref('Histogram')] }, 'Seconds, and a native histogram.'),
  Histogram: objectOf({
    count: text,
    sum: text,
    'buckets?': {
      ...listOf({ ...listOf({ type: ['number', 'string'] }), minItems: 4, maxItems: 4 }),
      description:
        'Those that are not empty: 0 (lower, upper], 1 [lower, upper), 2 neither bound included, 3 both; bounds; count.',
    },
  }),
  SeriesExemplars: objectOf({
    seriesLabels: ref('Labels'),
    exemplars: listOf(objectOf({ labels: ref('Labels'), value: text, timestamp: seconds })),
  }),
  Metadata: objectOf({ type: text, help: text, unit: text }),
  TargetMetadata: objectOf({ target: ref('Labels'), 'metric?': text, type: text, help: text, unit: text }),
  Target: objectOf({
    discoveredLabels: ref('Labels'),
    labels: ref('Labels'),
    scrapePool: text,
    scrapeUrl: text,
    globalUrl: text,
    lastError: text,
    lastScrape: dateTime,
    lastScrapeDuration: seconds,
    health: oneOfTexts('up', 'down', 'unknown'),
    scrapeInterval: text,
    scrapeTimeout: text,
    shard: integer,
    slot: { type: 'integer', description: '0 to 1023; -1: every shard scrapes it.' },
    replicas: { ...listOf(anyObject), description: 'How each replica of the shard fares.' },
  }),
  Targets: objectOf({
    activeTargets: listOf(ref('Target')),
    droppedTargets: listOf(objectOf({ discoveredLabels: ref('Labels'), scrapePool: text })),
    droppedTargetCounts: { type: ['object', 'null'], additionalProperties: integer },
  }),
  RelabelSteps: objectOf({
    steps: listOf(objectOf({ rule: anyObject, output: ref('Labels'), keep: boolean })),
  }),
  RuleGroups: objectOf({ groups: listOf(ref('RuleGroup')), 'groupNextToken?': text }),
  RuleGroup: objectOf({
    name: text,
    file: text,
    rules: listOf(anyObject),
    interval: seconds,
    limit: integer,
    evaluationTime: seconds,
    lastEvaluation: dateTime,
  }),
  Alert: objectOf({
    labels: ref('Labels'),
    annotations: ref('Labels'),
    state: oneOfTexts('pending', 'firing'),
    'activeAt?': dateTime,
    'keepFiringSince?': dateTime,
    value: text,
  }),
};
