// One honest, deduplicated Prometheus out of all shards. The binary is main.ts; this is what benches and tests use.

export { mergeSlots } from './merge/slot-merge.ts';
export type { Columns, SlotSchedule } from './merge/slot-merge.ts';
export { mountQuerier } from './querier.ts';
export type { QuerierOptions } from './querier.ts';
