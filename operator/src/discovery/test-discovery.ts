// Discovery over manifests in a real folder, for tests.

import { createLogger } from '@flotilla/chassis';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FolderSource } from '../objects/folder-source.ts';
import { FleetDiscovery } from './fleet-discovery.ts';

const log = createLogger({ name: 'test', write: () => undefined });

/** A manifest in namespace shop, unless its metadata say otherwise. */
export function manifest(kind: string, name: string, rest: object, metadata: object = {}): object {
  return { apiVersion: versionOf(kind), kind, metadata: { name, namespace: 'shop', ...metadata }, ...rest };
}

function versionOf(kind: string): string {
  if (['Pod', 'Service', 'Node', 'Secret', 'ConfigMap', 'Namespace'].includes(kind)) return 'v1';
  if (kind === 'EndpointSlice') return 'discovery.k8s.io/v1';
  if (kind === 'Ingress') return 'networking.k8s.io/v1';
  if (kind === 'Fleet') return 'flotilla.dev/v1alpha1';
  return `monitoring.coreos.com/${kind === 'ScrapeConfig' ? 'v1alpha1' : 'v1'}`;
}

/** What follows from the manifests; a Fleet `main` in namespace fleets has the spec. */
export async function discover<T>(
  manifests: readonly object[],
  look: (discovery: FleetDiscovery) => T | Promise<T>,
  fleetSpec: object = {},
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-discovery-'));
  const fleet = manifest('Fleet', 'main', { spec: fleetSpec }, { namespace: 'fleets' });
  writeFileSync(
    join(folder, 'objects.json'),
    [fleet, ...manifests].map((one) => JSON.stringify(one)).join('\n---\n'),
  );
  const source = new FolderSource({ folders: [folder], debounceMs: 10 });
  const discovery = new FleetDiscovery({ source, log });
  try {
    await discovery.start();
    return await look(discovery);
  } finally {
    await discovery.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Objects that are refused, `<name>: <reason>`. */
export function refusals(discovery: FleetDiscovery): string[] {
  const objects = discovery.problems().filter(({ isOfTargets }) => !isOfTargets);
  return objects.map(({ name, reason }) => `${name}: ${reason}`).toSorted();
}

/** URLs of all targets. */
export function urls(discovery: FleetDiscovery): string[] {
  return discovery.pools().flatMap(({ targets }) => targets.map(({ url }) => url));
}
