// Evaluates rules over the merged view and alerts. The binary is main.ts; this is what benches and tests use.

export { restoredActiveAt, stepAlerts } from './alerts/alert-state.ts';
export type { Alert, Alerts } from './alerts/alert-state.ts';
