// The querier's flags.

import { defineFlags, operatorClientFlags, standardFlags } from '@flotilla/chassis';

export const querierFlags = defineFlags({
  ...standardFlags,
  'operator.token-file': operatorClientFlags['operator.token-file'],
  'web.listen-address': {
    type: 'string',
    default: '127.0.0.1:9090',
    help: 'Address of the page and the API.',
  },
  'web.cors.origin': {
    type: 'string',
    default: '.*',
    help: 'Regular expression of the origins that may ask from other pages; empty allows none.',
  },
  'web.route-prefix': {
    type: 'string',
    default: '',
    help: 'Path below which everything is served; the path of web.external-url unless it is set.',
  },
  'query.log-file': {
    type: 'string',
    default: '',
    help: 'File to which every query is written as a line of JSON.',
  },
  'query.slow-threshold': {
    type: 'duration',
    default: '10s',
    help: 'Queries that take so long are told in the log; 0 tells none.',
  },
  'query.active-file': {
    type: 'string',
    default: '',
    help: 'File of the queries that run now, which are told after a crash.',
  },
  'topology.file': {
    type: 'string',
    required: true,
    help: 'The topology document that the operator persists.',
  },
  'enable-feature': {
    type: 'string',
    default: '',
    help: 'Names of experimental query features, with commas between: promql-experimental-functions, promql-extended-range-selectors, promql-binop-fill-modifiers, promql-delayed-name-removal, search-api, use-start-timestamps.',
  },
  'query.lookback-delta': {
    type: 'duration',
    default: '5m',
    help: 'How long a sample stands for its series.',
  },
  'query.timeout': { type: 'duration', default: '2m', help: 'Longest time of one query, waiting included.' },
  'query.max-concurrency': {
    type: 'number',
    default: 20,
    min: 1,
    help: 'Queries that evaluate at once; others wait.',
  },
  'query.workers': {
    type: 'number',
    default: 0,
    min: 0,
    help: 'Threads that evaluate queries, at most; 0 for one less than there are CPUs.',
  },
  'query.max-samples': {
    type: 'number',
    default: 50_000_000,
    min: 1,
    help: 'Samples that one query may hold.',
  },
  'query.max-bytes': {
    type: 'bytes',
    default: '1GB',
    help: 'Bytes that one query may hold, from wire to result.',
  },
  'web.search.max-limit': {
    type: 'number',
    default: 10_000,
    min: 0,
    help: 'Names that one answer of /api/v1/search may have, at most; 0 for no limit.',
  },
  'query.default-interval': { type: 'duration', default: '1m', help: 'Step of subqueries that name none.' },
  'store.timeout': {
    type: 'duration',
    default: '10s',
    help: 'Longest silence of a store before another one is asked.',
  },
});
