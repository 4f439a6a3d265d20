// Selectors as one text, as `kubectl get -l` and `--field-selector` take them.

import type { LabelSelector } from '../objects/schema-parts.ts';

/** Throws RangeError with the part that is none. */
export function parseLabelSelector(text: string): LabelSelector {
  const matchExpressions = splitTerms(text).map(parseTerm);
  return { matchLabels: {}, matchExpressions };
}

type Requirement = LabelSelector['matchExpressions'][number];

function parseTerm(term: string): Requirement {
  const set = /^([^\s!=,()]+)\s+(in|notin)\s*\(([^()]*)\)$/.exec(term);
  if (set !== null) {
    const values = set[3]!.split(',').map((value) => value.trim());
    return { key: set[1]!, operator: set[2] === 'in' ? 'In' : 'NotIn', values };
  }
  const equality = /^([^\s!=,()]+)\s*(==?|!=)\s*([^\s!=,()]*)$/.exec(term);
  if (equality !== null)
    return { key: equality[1]!, operator: equality[2] === '!=' ? 'NotIn' : 'In', values: [equality[3]!] };
  const presence = /^(!?)\s*([^\s!=,()]+)$/.exec(term);
  if (presence !== null)
    return { key: presence[2]!, operator: presence[1] === '' ? 'Exists' : 'DoesNotExist', values: [] };
  throw new RangeError(`label selector: "${term}" is none`);
}

/** Commas within parentheses part no terms. */
function splitTerms(text: string): string[] {
  return text
    .split(/,(?![^(]*\))/)
    .map((term) => term.trim())
    .filter((term) => term !== '');
}

export interface FieldRequirement {
  /** `metadata.name`, `spec.nodeName`, `status.phase`. */
  readonly path: string;
  readonly value: string;
  readonly isEqual: boolean;
}

/** Throws RangeError with the part that is none. */
export function parseFieldSelector(text: string): FieldRequirement[] {
  return splitTerms(text).map((term) => {
    const match = /^([A-Za-z.]+)\s*(==?|!=)\s*(.*)$/.exec(term);
    if (match === null) throw new RangeError(`field selector: "${term}" is none`);
    return { path: match[1]!, value: match[3]!, isEqual: match[2] !== '!=' };
  });
}
