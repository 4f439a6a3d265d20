// Fleets and places for the tests of workloads.

import type { FleetSpec } from '../discovery/fleet-spec.ts';
import { fleetSpecSchema } from '../discovery/fleet-spec.ts';
import type { ClusterPlace } from './kube-manifest.ts';

export const testPlace: ClusterPlace = {
  namespace: 'monitoring',
  image: 'registry.example/flotilla:1',
  imagePullPolicy: 'IfNotPresent',
  operatorUrl: 'http://flotilla-operator.monitoring.svc:9090',
  serviceAccounts: { scraper: 'flotilla-scraper', querier: 'flotilla-querier', ruler: 'flotilla-ruler' },
};

export function testFleet(spec: object = {}, name = 'main'): FleetSpec {
  return {
    ...fleetSpecSchema.parse(spec),
    name,
    namespace: testPlace.namespace,
    uid: 'fleet-uid',
    generation: 1,
  };
}
