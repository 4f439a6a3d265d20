// The state and the topology as files. Both are written atomically, and only on change.

import { writeFileAtomic } from '@flotilla/chassis';
import { LOCAL_PATHS, serializeTopology } from '@flotilla/wire';
import type { Topology } from '@flotilla/wire';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TopologyState } from './resize.ts';
import { parseState } from './topology-store.ts';
import type { TopologyStore } from './topology-store.ts';

export class TopologyFolder implements TopologyStore {
  readonly #statePath: string;
  readonly #topologyPath: string;
  #written = '';

  constructor(data: string) {
    this.#statePath = join(data, LOCAL_PATHS.operator, 'state.json');
    this.#topologyPath = join(data, LOCAL_PATHS.topology);
    for (const path of [this.#statePath, this.#topologyPath]) mkdirSync(dirname(path), { recursive: true });
  }

  async load(): Promise<TopologyState | undefined> {
    if (!existsSync(this.#statePath)) return undefined;
    return parseState(readFileSync(this.#statePath, 'utf8'), this.#statePath);
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
