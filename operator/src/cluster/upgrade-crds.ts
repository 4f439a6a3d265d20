// Brings CustomResourceDefinitions up to date, since Helm installs them and never upgrades them.
//
// Ours is always brought up to date, never back. Those of monitoring.coreos.com only where we installed them: the ones that
// the Prometheus operator installed are its own.

import { errorText } from '@flotilla/chassis';
import type { Logger } from '@flotilla/chassis';
import { load } from 'js-yaml';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { KubeApiError } from './api-client.ts';
import type { ApiClient } from './api-client.ts';
import { resourcePath, RESOURCES } from './resources.ts';

const versionAnnotation = 'flotilla.dev/crd-version';
const fieldManager = 'flotilla-operator';

interface CustomResourceDefinition {
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
}

/** Logs what it did and what it could not do; never throws, since everything else works with older CRDs too. */
export async function upgradeCrds(client: ApiClient, folder: string, log: Logger): Promise<void> {
  for (const file of filesIn(folder, log)) {
    try {
      const wanted = load(readFileSync(join(folder, file), 'utf8')) as CustomResourceDefinition;
      if (await upgradeCrd(client, wanted))
        log.info('CustomResourceDefinition upgraded', { crd: wanted.metadata.name });
    } catch (error) {
      log.warn('CustomResourceDefinition not upgraded', { file, err: errorText(error) });
    }
  }
}

function filesIn(folder: string, log: Logger): string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith('.yaml'));
  } catch (error) {
    log.warn('CustomResourceDefinitions not upgraded', { folder, err: errorText(error) });
    return [];
  }
}

async function upgradeCrd(client: ApiClient, wanted: CustomResourceDefinition): Promise<boolean> {
  const { name } = wanted.metadata;
  const version = await installedVersion(client, name);
  if (version === undefined || version >= versionOf(wanted)) return false;
  await client.apply(pathOf(name), wanted, { fieldManager, force: true });
  return true;
}

/** undefined when it is somebody else's, -1 when there is none. */
async function installedVersion(client: ApiClient, name: string): Promise<number | undefined> {
  try {
    const version = versionOf(await client.get<CustomResourceDefinition>(pathOf(name)));
    return version < 0 ? undefined : version;
  } catch (error) {
    if (error instanceof KubeApiError && error.status === 404) return -1;
    throw error;
  }
}

/** -1 when it does not say. */
function versionOf({ metadata }: CustomResourceDefinition): number {
  const version = Number(metadata.annotations?.[versionAnnotation] ?? -1);
  return Number.isInteger(version) ? version : -1;
}

function pathOf(name: string): string {
  return resourcePath(RESOURCES.CustomResourceDefinition, { name });
}
