// Evaluates rules over the merged view and alerts. The binary is main.ts; this is what benches, tests and
// `flotilla test rules` use.

export { restoredActiveAt, stepAlerts } from './alerts/alert-state.ts';
export type { Alert, Alerts } from './alerts/alert-state.ts';
export { alertSeries, foundAlerts, recordedResults } from './groups/rule-outcome.ts';
export type { QuerySample } from './query/query-client.ts';
