// What all stores say of themselves at this moment: every replica is asked, a silent one is reported as such.

import { errorText } from '@flotilla/chassis';
import type { StoreAddress, StoreKind, Topology } from '@flotilla/wire';
import type { StoreClient } from '../stores/store-client.ts';

const timeoutMs = 5000;

export interface StoreReport<T> {
  readonly store: StoreAddress;
  readonly value?: T;
  readonly error?: string;
}

/** GETs a path of every store of a kind (all kinds when undefined), concurrently. Never rejects. */
export function askEveryStore<T>(
  topology: Topology,
  client: StoreClient,
  kind: StoreKind | undefined,
  path: string,
): Promise<StoreReport<T>[]> {
  const stores = topology.stores.filter((store) => kind === undefined || store.kind === kind);
  return Promise.all(
    stores.map(async (store) => {
      try {
        return { store, value: await client.get<T>(store, path, AbortSignal.timeout(timeoutMs)) };
      } catch (error) {
        return { store, error: errorText(error) };
      }
    }),
  );
}
