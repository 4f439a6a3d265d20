// What can be asked for below /api/v1: parameters and answers, path by path.

import { anyObject, boolean, integer, listOf, objectOf, oneOfTexts, ref, text } from './schemas.ts';
import type { Schema } from './schemas.ts';

export interface Parameter {
  readonly name: string;
  readonly in: 'query' | 'path';
  readonly required: boolean;
  readonly description?: string;
  readonly schema: Schema;
}

export interface Operation {
  readonly tag: 'query' | 'metadata' | 'targets' | 'rules' | 'status';
  readonly id: string;
  readonly summary: string;
  readonly parameters?: readonly Parameter[];
  /** Of `data` in the envelope; a text is the media type of an answer without one. */
  readonly answer: Schema | string;
  /** Also as POST, with parameters as a form. */
  readonly asForm?: true;
}

function optional(name: string, schema: Schema, description?: string): Parameter {
  return { name, in: 'query', required: false, schema, ...(description !== undefined && { description }) };
}

function required(name: string, schema: Schema, description?: string): Parameter {
  return { ...optional(name, schema, description), required: true };
}

const texts = ref('Texts');
const query = required('query', text, 'A PromQL expression.');
const match = optional('match[]', texts, 'Series that match any of the selectors.');
const window = [optional('start', ref('Time')), optional('end', ref('Time'))];
const limit = optional('limit', integer, 'More are cut off, with a warning; 0: no limit.');
const partial = optional(
  'partial_response',
  boolean,
  '`false`: an answer that lacks a shard is a 503 that names it, instead of a warning.',
);
const evaluation = [
  optional('timeout', ref('Duration'), "At most the querier's own."),
  optional('lookback_delta', ref('Duration'), 'How old the newest sample of a series may be.'),
  optional('stats', oneOfTexts('true', 'all'), 'Times and samples beside the result.'),
  limit,
  partial,
  optional('dedup', boolean, "`false`: each replica's series, with a label `replica`."),
];
const scrapePool = required('scrapePool', text, 'The name of a job.');

/** By path, in the order in which they are shown. */
/** Behind --enable-feature=search-api: a JSON object per line, batches of results and then how it ended. */
function searchOperation(id: string, summary: string, more: readonly Parameter[] = []): Operation {
  return {
    tag: 'metadata',
    id,
    summary,
    parameters: [
      ...more,
      match,
      ...window,
      optional('search[]', texts, 'What is typed; any of them will do.'),
      optional('fuzz_alg', oneOfTexts('subsequence', 'jarowinkler')),
      optional('fuzz_threshold', integer, 'From 0, which takes all, to 100.'),
      optional('case_sensitive', boolean, 'Default: true.'),
      optional('sort_by', oneOfTexts('alpha', 'score')),
      optional('sort_dir', oneOfTexts('asc', 'dsc')),
      optional('include_score', boolean),
      optional('limit', integer, 'At most 10 000; 100 by default.'),
      optional('batch_size', integer, 'Results in a line; 100 by default.'),
      partial,
    ],
    answer: 'application/x-ndjson',
    asForm: true,
  };
}

export const operations: Readonly<Record<string, Operation>> = {
  '/query': {
    tag: 'query',
    id: 'query',
    summary: 'Evaluates an expression at one time.',
    parameters: [query, optional('time', ref('Time'), 'Default: now.'), ...evaluation],
    answer: ref('Result'),
    asForm: true,
  },
  '/query_range': {
    tag: 'query',
    id: 'queryRange',
    summary: 'Evaluates an expression at each step of a range, of at most 11 000 steps.',
    parameters: [
      query,
      required('start', ref('Time')),
      required('end', ref('Time')),
      required('step', ref('Duration')),
      ...evaluation,
    ],
    answer: ref('Result'),
    asForm: true,
  },
  '/explain_query': {
    tag: 'query',
    id: 'explainQuery',
    summary:
      'The plan of an instant query, or of a range query if it has a start; `analyze` runs it, too, and measures.',
    parameters: [
      query,
      optional('time', ref('Time'), 'Of an instant query. Default: now.'),
      ...window,
      optional('step', ref('Duration')),
      optional('analyze', boolean, 'Runs the query: the answer is its own, with `stats`.'),
      ...evaluation,
    ],
    answer: anyObject,
    asForm: true,
  },
  '/query_exemplars': {
    tag: 'query',
    id: 'queryExemplars',
    summary: 'The exemplars of the series that an expression selects.',
    parameters: [query, ...window],
    answer: listOf(ref('SeriesExemplars')),
    asForm: true,
  },
  '/format_query': {
    tag: 'query',
    id: 'formatQuery',
    summary: 'An expression, printed prettily.',
    parameters: [query],
    answer: text,
    asForm: true,
  },
  '/parse_query': {
    tag: 'query',
    id: 'parseQuery',
    summary: 'The syntax tree of an expression.',
    parameters: [query],
    answer: anyObject,
    asForm: true,
  },
  '/series': {
    tag: 'metadata',
    id: 'series',
    summary: 'The series that selectors find.',
    parameters: [{ ...match, required: true }, ...window, limit, partial],
    answer: listOf(ref('Labels')),
    asForm: true,
  },
  '/search/metric_names': searchOperation(
    'searchMetricNames',
    'The names of metrics that fit what is typed.',
    [optional('include_metadata', boolean, 'With type, help and unit.')],
  ),
  '/search/label_names': searchOperation('searchLabelNames', 'The names of labels that fit what is typed.'),
  '/search/label_values': searchOperation(
    'searchLabelValues',
    'The values of a label that fit what is typed.',
    [required('label', text)],
  ),
  '/labels': {
    tag: 'metadata',
    id: 'labels',
    summary: 'The names of labels.',
    parameters: [match, ...window, limit, partial],
    answer: texts,
    asForm: true,
  },
  '/label/{name}/values': {
    tag: 'metadata',
    id: 'labelValues',
    summary: 'The values of a label.',
    parameters: [
      { ...required('name', text, 'As it is, or escaped with `U__`.'), in: 'path' },
      match,
      ...window,
      limit,
      partial,
    ],
    answer: texts,
  },
  '/metadata': {
    tag: 'metadata',
    id: 'metadata',
    summary: 'Type, help and unit of metrics, as targets tell them.',
    parameters: [optional('metric', text), limit, optional('limit_per_metric', integer)],
    answer: { type: 'object', additionalProperties: listOf(ref('Metadata')) },
  },
  '/targets': {
    tag: 'targets',
    id: 'targets',
    summary: 'Targets of all shards, with the shard that scrapes each and how its replicas fare.',
    parameters: [
      optional('state', oneOfTexts('active', 'dropped', 'any')),
      optional('scrapePool', text),
      optional(
        'discovered',
        boolean,
        '`false` leaves out what the operator alone knows: labels before relabeling.',
      ),
    ],
    answer: ref('Targets'),
  },
  '/targets/metadata': {
    tag: 'targets',
    id: 'targetMetadata',
    summary: 'Type, help and unit of each metric of each target.',
    parameters: [
      optional('match_target', text, 'A selector of targets.'),
      optional('metric', text),
      optional('limit', integer),
    ],
    answer: listOf(ref('TargetMetadata')),
  },
  '/targets/relabel_steps': {
    tag: 'targets',
    id: 'relabelSteps',
    summary: 'What each relabeling of a job makes of labels.',
    parameters: [scrapePool, required('labels', text, 'A JSON object.')],
    answer: ref('RelabelSteps'),
  },
  '/scrape_pools': {
    tag: 'targets',
    id: 'scrapePools',
    summary: 'The names of all jobs.',
    answer: objectOf({ scrapePools: texts }),
  },
  '/scrape_pools/config': {
    tag: 'targets',
    id: 'scrapePoolConfig',
    summary: "A job as Prometheus's scrape_config; credentials by where they lie.",
    parameters: [scrapePool],
    answer: objectOf({ yaml: text }),
  },
  '/explain': {
    tag: 'targets',
    id: 'explain',
    summary: 'Why something is a target, or is not.',
    parameters: [required('q', text, 'Address, URL, instance, or the name of a Service or Pod.')],
    answer: anyObject,
  },
  '/rules': {
    tag: 'rules',
    id: 'rules',
    summary: 'Groups of rules, and how their last evaluation went.',
    parameters: [
      optional('type', oneOfTexts('alert', 'record')),
      optional('rule_name[]', texts),
      optional('rule_group[]', texts),
      optional('file[]', texts),
      match,
      optional('exclude_alerts', boolean),
      optional('group_limit', integer),
      optional('group_next_token', text),
    ],
    answer: ref('RuleGroups'),
  },
  '/alerts': {
    tag: 'rules',
    id: 'alerts',
    summary: 'Alerts that are pending or firing.',
    answer: objectOf({ alerts: listOf(ref('Alert')) }),
  },
  '/alertmanagers': {
    tag: 'rules',
    id: 'alertmanagers',
    summary: 'Where the rulers send alerts.',
    answer: objectOf({
      activeAlertmanagers: listOf(objectOf({ url: text })),
      droppedAlertmanagers: listOf(objectOf({ url: text })),
    }),
  },
  '/fleet': {
    tag: 'status',
    id: 'fleet',
    summary: "Topology, the operator's status, and every store's.",
    answer: anyObject,
  },
  '/status/topology': {
    tag: 'status',
    id: 'topology',
    summary: 'The epoch by which this querier asks.',
    answer: anyObject,
  },
  '/status/tsdb': {
    tag: 'status',
    id: 'tsdb',
    summary: 'Series of all shards, and the metrics, labels and targets that have most.',
    parameters: [limit],
    answer: anyObject,
  },
  '/status/config': status('config', 'Empty: the configuration is in the Fleet.', objectOf({ yaml: text })),
  '/status/runtimeinfo': status('runtimeinfo', 'This process.'),
  '/status/buildinfo': status('buildinfo', "Prometheus's version of the API, and our own."),
  '/status/flags': status('flags', 'The flags of this process.'),
  '/status/tsdb/blocks': status('blocks', 'None: a querier has no database.'),
  '/status/walreplay': status('walreplay', 'Zeros: a querier has no database.'),
  '/status/self_metrics': {
    ...status('selfMetrics', 'The metrics of this process as JSON.', listOf(anyObject)),
    parameters: [optional('metric_name_pattern', text, 'A regular expression.')],
  },
  '/features': status('features', 'What this server can do, by category.'),
  '/notifications': status('notifications', 'None.', listOf(anyObject)),
  '/notifications/live': status('notificationsLive', 'A silent stream of events.', 'text/event-stream'),
  '/openapi.yaml': status('openapi', 'This description.', 'application/yaml'),
};

function status(id: string, summary: string, answer: Schema | string = anyObject): Operation {
  return { tag: 'status', id, summary, answer };
}
