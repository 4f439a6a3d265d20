// Which family of metrics a series belongs to, as Prometheus decides it where it records metadata.

import type { MetricMetadata } from '@flotilla/wire';

const suffixes: Readonly<Partial<Record<string, readonly string[]>>> = {
  counter: ['_total'],
  histogram: ['_bucket', '_sum', '_count'],
  gaugehistogram: ['_bucket', '_gsum', '_gcount'],
  summary: ['_sum', '_count'],
  info: ['_info'],
};
const allSuffixes = ['', ...new Set(Object.values(suffixes).flat())] as readonly string[];

/** What is said of the family of a series with this name. */
export function familyMetadata(
  name: string,
  said: ReadonlyMap<string, MetricMetadata>,
): MetricMetadata | undefined {
  for (const suffix of allSuffixes) {
    if (!name.endsWith(suffix)) continue;
    const family = name.slice(0, name.length - suffix.length);
    const metadata = said.get(family);
    if (metadata !== undefined && isOfFamily(name, family, metadata.type)) return metadata;
  }
  return undefined;
}

/** A family of counters or infos may have the suffix in its own name. */
function isOfFamily(name: string, family: string, type: string): boolean {
  const mayHaveSuffix = type === 'counter' || type === 'info';
  const base = mayHaveSuffix ? withoutSuffix(family, type) : family;
  return name.startsWith(family) && withoutSuffix(name, type) === base;
}

function withoutSuffix(name: string, type: string): string {
  const suffix = suffixes[type]?.find((one) => name.endsWith(one)) ?? '';
  return name.slice(0, name.length - suffix.length);
}
