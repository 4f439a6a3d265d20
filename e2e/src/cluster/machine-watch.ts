// Notices when the machine itself stands still: its processor, or the disk that a write waits for. What nobody on it could have
// scraped then is not held against the fleet, and is told.

import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { stateFolder } from './environment.ts';

export interface Standstill {
  readonly fromMs: number;
  readonly toMs: number;
}

const lookEveryMs = 200;
const noticedMs = 1500;

export class MachineWatch {
  readonly standstills: Standstill[] = [];
  readonly #file = openSync(join(stateFolder, 'machine-watch'), 'w');
  readonly #timer = setInterval(() => this.#look(), lookEveryMs);
  #lastMs = Date.now();

  /** As a scraper that appends to its log. */
  #look(): void {
    writeSync(this.#file, `${this.#lastMs}\n`);
    const nowMs = Date.now();
    if (nowMs - this.#lastMs >= noticedMs) this.standstills.push({ fromMs: this.#lastMs, toMs: nowMs });
    this.#lastMs = nowMs;
  }

  stop(): void {
    clearInterval(this.#timer);
    closeSync(this.#file);
  }
}
