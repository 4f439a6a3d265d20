// Where the operator keeps its state, and where it publishes the topology. Both are written atomically, and only on change.

import { writeFileAtomic } from '@flotilla/chassis';
import { LOCAL_PATHS, serializeTopology } from '@flotilla/wire';
import type { Topology } from '@flotilla/wire';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TopologyState } from './resize.ts';

export class TopologyFolder {
  readonly #statePath: string;
  readonly #topologyPath: string;
  #written = '';

  constructor(data: string) {
    this.#statePath = join(data, LOCAL_PATHS.operator, 'state.json');
    this.#topologyPath = join(data, LOCAL_PATHS.topology);
    for (const path of [this.#statePath, this.#topologyPath]) mkdirSync(dirname(path), { recursive: true });
  }

  /** The state of an earlier run. A damaged file is an error: a new topology would lose track of old data. */
  load(): TopologyState | undefined {
    if (!existsSync(this.#statePath)) return undefined;
    const state = JSON.parse(readFileSync(this.#statePath, 'utf8')) as TopologyState;
    if (state.version !== 1) throw new Error(`${this.#statePath}: version ${String(state.version)}, want 1`);
    return state;
  }

  async save(state: TopologyState): Promise<void> {
    await writeFileAtomic(this.#statePath, `${JSON.stringify(state)}\n`);
  }

  async publish(topology: Topology): Promise<void> {
    const text = serializeTopology(topology);
    if (text === this.#written) return;
    await writeFileAtomic(this.#topologyPath, text);
    this.#written = text;
  }
}
