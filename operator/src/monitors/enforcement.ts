// Which objects `enforcedNamespaceLabel` holds for.

import type { FleetSpec } from '../discovery/fleet-spec.ts';

type EnforcedResource = FleetSpec['excludedFromEnforcement'][number]['resource'];

export function isEnforced(
  { enforcedNamespaceLabel, excludedFromEnforcement }: FleetSpec,
  resource: EnforcedResource,
  namespace: string,
  name: string,
): boolean {
  if (enforcedNamespaceLabel === '') return false;
  return !excludedFromEnforcement.some(
    (one) =>
      one.resource === resource && one.namespace === namespace && (one.name === '' || one.name === name),
  );
}
