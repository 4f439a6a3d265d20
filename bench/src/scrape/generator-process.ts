// The generator as its parent sees it.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { GeneratorOptions } from './generator.ts';
import type { Lateness } from './punctuality.ts';

export class Generator {
  readonly addresses: readonly string[];
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, addresses: readonly string[]) {
    this.#child = child;
    this.addresses = addresses;
  }

  static async start(options: GeneratorOptions): Promise<Generator> {
    const child = fork(fileURLToPath(new URL('generator.js', import.meta.url)), [JSON.stringify(options)]);
    const [addresses] = (await once(child, 'message')) as [readonly string[]];
    return new Generator(child, addresses);
  }

  /** How punctual the scrapes were since the last call. */
  async takeLateness(): Promise<Lateness> {
    this.#child.send('take');
    const [lateness] = (await once(this.#child, 'message')) as [Lateness];
    return lateness;
  }

  stop(): void {
    this.#child.disconnect();
  }
}
