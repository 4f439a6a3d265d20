// The document of file and http discovery: `[{targets: ["host:port"], labels: {name: value}}]`.

import { isValidUtf8Name, Labels } from '@flotilla/model';
import { load } from 'js-yaml';
import { z } from 'zod';
import { ADDRESS } from './meta-labels.ts';
import type { TargetGroup } from './target-group.ts';

const targetsMax = 1_000_000;

export interface StaticGroup {
  readonly targets: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

const labelName = z.string().refine(isValidUtf8Name, 'not a label name');
const documentSchema = z.array(
  z.strictObject({
    targets: z.array(z.string()).max(targetsMax),
    labels: z
      .record(labelName, z.string())
      .nullish()
      .transform((labels) => labels ?? {}),
  }),
);

/** Reads JSON or YAML, which is a superset. Throws an Error that names the field. */
export function parseTargetDocument(text: string): readonly StaticGroup[] {
  const result = documentSchema.safeParse(text.trim() === '' ? [] : load(text, { maxAliases: 100 }));
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0]!;
  throw new Error(`${path.join('.') || 'document'}: ${message}`);
}

/** Groups as targets; `meta` is added to each of them. */
export function staticTargets(
  source: string,
  groups: readonly StaticGroup[],
  meta: Readonly<Record<string, string>> = {},
): TargetGroup[] {
  return groups.map(({ targets, labels }, index) => ({
    source: `${source}:${index}`,
    namespace: '',
    targets: targets.map((address) => Labels.fromRecord({ ...labels, ...meta, [ADDRESS]: address })),
  }));
}
