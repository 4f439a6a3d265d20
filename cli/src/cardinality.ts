// `flotilla cardinality`: what the series of the fleet are made of, biggest first.

import { getApi } from './api-client.ts';
import type { Printer } from './query.ts';

interface NameValue {
  readonly name: string;
  readonly value: number;
}

/** Of /api/v1/status/tsdb, as far as it is printed. */
export interface CardinalityData {
  readonly headStats: { readonly numSeries: number; readonly numLabelPairs: number };
  readonly seriesCountByMetricName: readonly NameValue[];
  readonly labelValueCountByLabelName: readonly NameValue[];
  readonly seriesCountByLabelValuePair: readonly NameValue[];
  readonly seriesCountByTarget: readonly NameValue[];
}

export async function cardinality(
  { server, limit }: { readonly server: string; readonly limit: string },
  printer: Printer,
): Promise<void> {
  const { envelope } = await getApi<CardinalityData>(server, '/api/v1/status/tsdb', { limit });
  for (const line of formatCardinality(envelope.data)) printer.out(line);
  for (const warning of envelope.warnings ?? []) printer.err(`warning: ${warning}`);
}

export function formatCardinality(data: CardinalityData): string[] {
  const { numSeries, numLabelPairs } = data.headStats;
  return [
    `${numSeries} series, ${numLabelPairs} label pairs in memory`,
    ...table('series by metric name', data.seriesCountByMetricName),
    ...table('series by target, lately ended ones included', data.seriesCountByTarget),
    ...table('series by label pair', data.seriesCountByLabelValuePair),
    ...table('values by label name, at most', data.labelValueCountByLabelName),
  ];
}

function table(title: string, rows: readonly NameValue[]): string[] {
  const width = Math.max(0, ...rows.map(({ value }) => `${value}`.length));
  return ['', title, ...rows.map(({ name, value }) => `  ${`${value}`.padStart(width)}  ${name}`)];
}
