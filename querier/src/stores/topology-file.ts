// The topology as the operator persisted it, watched. A querier starts and works from it while no operator runs.

import { errorText, watchFile } from '@flotilla/chassis';
import type { Logger } from '@flotilla/chassis';
import { Unavailable } from '@flotilla/model';
import { parseTopology } from '@flotilla/wire';
import type { Topology } from '@flotilla/wire';
import { readFileSync } from 'node:fs';

export class TopologyFile {
  readonly #path: string;
  readonly #log: Logger;
  readonly #stop: () => void;
  #topology: Topology | undefined;
  #error = '';

  constructor(path: string, log: Logger, onChange: (ready: boolean) => void) {
    this.#path = path;
    this.#log = log;
    this.#read();
    onChange(this.#topology !== undefined);
    const reread = (): void => {
      this.#read();
      onChange(this.#topology !== undefined);
    };
    this.#stop = watchFile(path, reread, { pollMs: 500 });
  }

  /** Throws Unavailable with the reason while no valid topology has been read. */
  current(): Topology {
    if (this.#topology === undefined) throw new Unavailable(`topology ${this.#path}: ${this.#error}`);
    return this.#topology;
  }

  close(): void {
    this.#stop();
  }

  /** A bad file keeps the last good topology. */
  #read(): void {
    try {
      this.#topology = parseTopology(readFileSync(this.#path, 'utf8'));
      this.#error = '';
    } catch (error) {
      this.#error = errorText(error);
      if (this.#topology !== undefined)
        this.#log.warn('topology not readable, keeping the last good one', { err: this.#error });
    }
  }
}
