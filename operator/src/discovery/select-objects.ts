// Which objects a Fleet selects: by their labels, and by the labels of their namespace.

import type { ObjectHead } from '../objects/kube-object.ts';
import type { ObjectSource } from '../objects/object-source.ts';
import type { LabelSelector } from '../objects/schema-parts.ts';
import type { FleetSpec } from './fleet-spec.ts';
import { sanitizeName } from './meta-labels.ts';

export type LabelMap = Readonly<Record<string, string>>;

/** A metav1.LabelSelector; `{}` matches everything. */
export function selectorMatches({ matchLabels, matchExpressions }: LabelSelector, labels: LabelMap): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values }) => {
      const value = labels[key];
      switch (operator) {
        case 'In':
          return value !== undefined && values.includes(value);
        case 'NotIn':
          return value === undefined || !values.includes(value);
        case 'Exists':
          return value !== undefined;
        case 'DoesNotExist':
          return value === undefined;
      }
    })
  );
}

/**
 * False when relabeling by the selector would surely drop what has these labels. Relabeling knows sanitized names only, and takes values
 * for regular expressions: one that is no plain text may match.
 */
export function mayMatch({ matchLabels, matchExpressions }: LabelSelector, labels: LabelMap): boolean {
  const valuesOf = (key: string): readonly string[] => {
    const own = labels[key];
    if (/^[A-Za-z0-9]+$/.test(key)) return own === undefined ? [] : [own];
    return Object.entries(labels)
      .filter(([name]) => name === key || sanitizeName(name) === sanitizeName(key))
      .map(([, value]) => value);
  };
  const mayBe = (key: string, wanted: readonly string[]): boolean =>
    valuesOf(key).some((value) => wanted.some((one) => one === value || !/^[\w/-]*$/.test(one)));
  return (
    Object.entries(matchLabels).every(([key, value]) => mayBe(key, [value])) &&
    matchExpressions.every(({ key, operator, values }) => {
      if (operator === 'In') return mayBe(key, values);
      return operator !== 'Exists' || valuesOf(key).length > 0;
    })
  );
}

/** Labels of a namespace; one without an object has only its name, which Kubernetes always sets. */
export function namespaceLabels(source: ObjectSource, namespace: string): LabelMap {
  const labels = source.get('Namespace', '', namespace)?.metadata.labels;
  return { ...labels, 'kubernetes.io/metadata.name': namespace };
}

/**
 * '' when the object is selected, else which selector does not match. A selector that is null selects nothing; a namespace
 * selector that is null only the Fleet's own.
 */
export function whyNotSelected(
  { kind, metadata: { namespace, labels } }: Pick<ObjectHead, 'kind' | 'metadata'>,
  source: ObjectSource,
  fleet: FleetSpec,
  own: LabelSelector | null,
  ofNamespace: LabelSelector | null,
): string {
  if (own === null) return `the Fleet's selector for ${kind} is null: it selects none`;
  if (ofNamespace === null) {
    if (namespace !== fleet.namespace)
      return `the Fleet's namespace selector is null: it selects in namespace ${fleet.namespace} only`;
  } else if (!selectorMatches(ofNamespace, namespaceLabels(source, namespace)))
    return `the Fleet's namespace selector does not match namespace ${namespace}`;
  return selectorMatches(own, labels) ? '' : "the Fleet's selector does not match its labels";
}
