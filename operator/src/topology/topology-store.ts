// Where the operator keeps its state, and where it publishes the topology: a folder, or ConfigMaps.

import type { Topology } from '@flotilla/wire';
import type { TopologyState } from './resize.ts';

/** Another operator saved in between: what was derived from the old state must not be acted on. */
export class StaleStateError extends Error {
  override readonly name = 'StaleStateError';
}

export interface TopologyStore {
  /**
   * The state that was saved last, by whomever; undefined when there is none.
   *
   * Throws when it is damaged: a new topology would lose track of old data.
   */
  load(): Promise<TopologyState | undefined>;
  /** Throws StaleStateError when it is no longer the one that load() or save() saw last. */
  save(state: TopologyState): Promise<void>;
  publish(topology: Topology): Promise<void>;
}

/** The state in its file form. */
export function parseState(text: string, where: string): TopologyState {
  const state = JSON.parse(text) as TopologyState;
  if (state.version !== 1) throw new Error(`${where}: version ${String(state.version)}, want 1`);
  return state;
}
