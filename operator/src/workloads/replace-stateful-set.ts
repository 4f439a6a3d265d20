// Changes of a StatefulSet that the API server refuses (422): of its volumes, mostly. It is deleted without its pods and made anew
// around them: the new one adopts them and rolls them one by one, so that nothing stops. Volumes that there are do not follow the
// template: they are expanded by hand.

import { errorText } from '@flotilla/chassis';
import type { Logger } from '@flotilla/chassis';
import { KubeApiError } from '../cluster/api-client.ts';
import type { ApiClient } from '../cluster/api-client.ts';
import { resourcePath, RESOURCES } from '../cluster/resources.ts';
import type { Manifest } from './kube-manifest.ts';
import type { KubeObject } from './live-objects.ts';
import { parseQuantity } from './quantity.ts';

interface Claim extends KubeObject {
  readonly spec: { readonly resources?: { readonly requests?: { readonly storage?: string } } };
}

const goneMaxMs = 15_000;
const pollMs = 100;

export function isImmutable({ kind }: Manifest, error: unknown): boolean {
  return (
    kind === 'StatefulSet' &&
    error instanceof KubeApiError &&
    error.status === 422 &&
    error.message.includes('updates to statefulset spec')
  );
}

/** Resolves when the old one is gone and its pods stay. `size` is that of the volumes; undefined when there are none. */
export async function orphanStatefulSet(
  client: ApiClient,
  { metadata: { name, namespace, labels } }: Manifest,
  size: string | undefined,
  log: Logger,
): Promise<void> {
  log.warn('StatefulSet cannot be changed in place: made anew around its pods', { name });
  if (size !== undefined)
    for (const claim of await claims(client, namespace, labels))
      await expand(client, namespace, claim, size, log);
  const path = resourcePath(RESOURCES.StatefulSet, { namespace, name });
  const uid = await uidAt(client, path);
  if (uid === undefined) return;
  await client.delete(path, { propagationPolicy: 'Orphan', uid });
  const startedMs = performance.now();
  while ((await uidAt(client, path)) === uid) {
    if (performance.now() - startedMs > goneMaxMs)
      throw new Error(`StatefulSet ${name}: still there after ${goneMaxMs} ms, want its pods orphaned`);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

/** The volumes of what has these labels. */
export async function claims(
  client: ApiClient,
  namespace: string,
  labels: Readonly<Record<string, string>>,
): Promise<readonly Claim[]> {
  const labelSelector = Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(',');
  const path = resourcePath(RESOURCES.PersistentVolumeClaim, { namespace });
  const { items } = await client.get<{ items: readonly Claim[] | null }>(path, { labelSelector });
  return items ?? [];
}

/** Volumes only ever grow, and not of every StorageClass. One that stays as it is, is no reason to stop. */
async function expand(
  client: ApiClient,
  namespace: string,
  { metadata: { name }, spec }: Claim,
  size: string,
  log: Logger,
): Promise<void> {
  const has = spec.resources?.requests?.storage ?? '0';
  if (parseQuantity(size) === parseQuantity(has)) return;
  if (parseQuantity(size) < parseQuantity(has)) {
    log.warn('volume keeps its size: volumes cannot shrink', { name, has, want: size });
    return;
  }
  const path = resourcePath(RESOURCES.PersistentVolumeClaim, { namespace, name });
  try {
    await client.patch(path, { spec: { resources: { requests: { storage: size } } } });
    log.info('volume expanded', { name, from: has, to: size });
  } catch (error) {
    if (!(error instanceof KubeApiError && (error.status === 403 || error.status === 422))) throw error;
    log.warn('volume keeps its size', { name, has, want: size, err: errorText(error) });
  }
}

async function uidAt(client: ApiClient, path: string): Promise<string | undefined> {
  try {
    return (await client.get<KubeObject>(path)).metadata.uid;
  } catch (error) {
    if (error instanceof KubeApiError && error.status === 404) return undefined;
    throw error;
  }
}
