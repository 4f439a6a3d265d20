// The ingress role: one target a host and path.

import { Labels } from '@flotilla/model';
import type { ObjectOf } from '../objects/kinds.ts';
import { keyOf } from '../objects/kube-object.ts';
import { ADDRESS, type LabelRecord, META, objectLabels } from './meta-labels.ts';
import type { TargetGroup } from './target-group.ts';

export function ingressTargets(ingress: ObjectOf<'Ingress'>): TargetGroup {
  const { metadata, spec } = ingress;
  const shared = {
    ...objectLabels('ingress', metadata),
    [`${META}namespace`]: metadata.namespace,
    [`${META}ingress_class_name`]: spec.ingressClassName,
  };
  const tlsHosts = spec.tls.flatMap(({ hosts }) => hosts);
  const records = spec.rules.flatMap(({ host, http }) => {
    const paths = http === undefined || http.paths.length === 0 ? [''] : http.paths.map(({ path }) => path);
    return paths.map((path): LabelRecord => ({
      ...shared,
      [ADDRESS]: host,
      [`${META}ingress_scheme`]: tlsHosts.some((pattern) => hostMatches(pattern, host)) ? 'https' : 'http',
      [`${META}ingress_host`]: host,
      [`${META}ingress_path`]: path === '' ? '/' : path,
    }));
  });
  const targets = records.map((record) => Labels.fromRecord(record));
  return { source: `ingress/${keyOf(ingress)}`, namespace: metadata.namespace, targets };
}

/** A pattern may begin with `*.`, which stands for exactly one label of the host. */
function hostMatches(pattern: string, host: string): boolean {
  if (!pattern.startsWith('*.')) return pattern === host;
  const dot = host.indexOf('.');
  return dot > 0 && host.slice(dot) === pattern.slice(1);
}
