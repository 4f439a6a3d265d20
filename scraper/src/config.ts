// The scraper's flags. Everything else reads the frozen result.

import { defineFlags, type FlagValues, operatorClientFlags, standardFlags } from '@flotilla/chassis';

export const scraperFlags = defineFlags({
  ...standardFlags,
  ...operatorClientFlags,
  fleet: { type: 'string', default: 'main', help: 'Name of the fleet.' },
  shard: { type: 'number', default: 0, min: 0, help: 'Number of the shard that this is a replica of.' },
  replica: { type: 'number', default: 0, min: 0, help: 'Number of this replica.' },
  'operator.url': { type: 'string', required: true, help: 'Where the operator serves assignments.' },
  'storage.path': { type: 'string', required: true, help: 'Folder of this replica alone; made when absent.' },
  'storage.retention': { type: 'duration', default: '15d', min: 1, help: 'How long samples are kept.' },
  'storage.block-duration': {
    type: 'duration',
    default: '2h',
    min: 1000,
    help: 'Time that one block covers at first.',
  },
  'storage.exemplars.max-exemplars': {
    type: 'number',
    default: 100_000,
    min: 0,
    max: 10_000_000,
    help: 'How many exemplars are kept in memory, over all series; 0: none.',
  },
  'storage.metadata-wal-records': {
    type: 'boolean',
    help: 'Log type, help and unit of each series, for who reads the WAL.',
  },
  'scrape.timestamp-tolerance': {
    type: 'duration',
    default: '0s',
    help: "How late a scrape may begin and still carry its slot's time; 0 means 40 % of the interval, at most 1s.",
  },
  'scrape.replica-offset': {
    type: 'duration',
    default: '100ms',
    max: 10_000,
    help: 'How long after replica N replica N+1 scrapes the same target.',
  },
  'scrape.body-size-max': {
    type: 'bytes',
    default: '64MB',
    min: 1024,
    help: 'Bound of a body, inflated, whatever its job allows.',
  },
  'scrape.body-memory-max': {
    type: 'bytes',
    default: '256MB',
    min: 1 << 20,
    help: 'Bound of all bodies above 1MB that are in flight.',
  },
  'scrape.line-size-max': { type: 'bytes', default: '1MB', min: 1024, help: 'Bound of one line of a body.' },
  'scrape.samples-max': {
    type: 'number',
    default: 1_000_000,
    min: 1,
    help: 'Bound of the samples of one scrape, whatever its job allows.',
  },
  'scrape.extra-metrics': {
    type: 'boolean',
    default: false,
    help: 'Adds scrape_timeout_seconds, scrape_sample_limit and scrape_body_size_bytes to each scrape.',
  },
  'scrape.failure-log-file': {
    type: 'string',
    default: '',
    help: 'File of JSON lines about failed scrapes, in --storage.path unless absolute; none when empty.',
  },
  'remote-write.wal-size-max': {
    type: 'bytes',
    default: '4GB',
    min: 1 << 20,
    help: 'The WAL may grow to this while a destination of remote write is away; then its samples are lost.',
  },
});

export type ScraperConfig = FlagValues<typeof scraperFlags>;
