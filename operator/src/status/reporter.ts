// Tells the outside what the operator decided. Only the leader calls it.

import type { Problem, SelectedObject } from '../discovery/findings.ts';
import type { FleetSpec } from '../discovery/fleet-spec.ts';
import type { FleetStatus } from './fleet-status.ts';

export interface Reporter {
  /** Called after each run of the loop; cheap when nothing has changed. */
  report(fleet: FleetSpec, status: FleetStatus, selected: readonly SelectedObject[]): Promise<void>;
  phaseChanged(fleet: FleetSpec, message: string): void;
  refused(problem: Problem): void;
}

/** For a fleet on one machine, whose status is on its page and in its log. */
export const noReporter: Reporter = {
  report: async () => {},
  phaseChanged: () => {},
  refused: () => {},
};
