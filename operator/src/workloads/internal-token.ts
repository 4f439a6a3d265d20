// The token that the parts of a fleet show each other: a Secret, made once and never again, since pods of different ages must
// know the same one. No object owns it, so that a Fleet that is deleted and made again goes on with it.

import type { Logger } from '@flotilla/chassis';
import { randomBytes } from 'node:crypto';
import { KubeApiError } from '../cluster/api-client.ts';
import type { ApiClient } from '../cluster/api-client.ts';
import { resourcePath, RESOURCES } from '../cluster/resources.ts';
import { internalTokenName, MANAGED_BY } from './kube-manifest.ts';

const checkMs = 60_000;
const tokenBytes = 32;

export class InternalToken {
  readonly #client: ApiClient;
  readonly #namespace: string;
  readonly #fleet: string;
  readonly #log: Logger;
  #checkedMs: number | undefined;

  constructor(client: ApiClient, namespace: string, fleet: string, log: Logger) {
    this.#client = client;
    this.#namespace = namespace;
    this.#fleet = fleet;
    this.#log = log;
  }

  /** Asks the API server once a minute at most. */
  async ensure(): Promise<void> {
    if (this.#checkedMs !== undefined && performance.now() - this.#checkedMs < checkMs) return;
    if (!(await this.#exists())) await this.#create();
    this.#checkedMs = performance.now();
  }

  async #exists(): Promise<boolean> {
    const place = { namespace: this.#namespace, name: internalTokenName(this.#fleet) };
    try {
      await this.#client.get(resourcePath(RESOURCES.Secret, place));
      return true;
    } catch (error) {
      if (error instanceof KubeApiError && error.status === 404) return false;
      throw error;
    }
  }

  async #create(): Promise<void> {
    const namespace = this.#namespace;
    const name = internalTokenName(this.#fleet);
    try {
      await this.#client.create(resourcePath(RESOURCES.Secret, { namespace }), {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: {
          name,
          namespace,
          labels: {
            'app.kubernetes.io/name': 'flotilla',
            'app.kubernetes.io/managed-by': MANAGED_BY,
            'flotilla.dev/fleet': this.#fleet,
          },
        },
        type: 'Opaque',
        stringData: { token: randomBytes(tokenBytes).toString('hex') },
      });
      this.#log.info('Secret made', { name });
    } catch (error) {
      if (!(error instanceof KubeApiError && error.status === 409)) throw error;
    }
  }
}
