// Finds targets and assigns them to shards. The binary is main.ts; this is what benches and tests use.

export { identifyTargets } from './assignment/identify-targets.ts';
export { relabelTarget, withDefaults } from './discovery/relabel-targets.ts';
export type { ScrapeJob } from './monitors/scrape-job.ts';
export { Operator } from './operator.ts';
export { firstState, ownersOf, stepResize } from './topology/resize.ts';
export { firstTable, planTable } from './topology/slot-table.ts';
