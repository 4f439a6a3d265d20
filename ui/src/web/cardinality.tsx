// What the series of the fleet are made of: the biggest by metric, target, label pair and label.

import { Loaded } from './parts.tsx';
import { useApi } from './use-api.ts';

interface NameValue {
  readonly name: string;
  readonly value: number;
}

interface Cardinality {
  readonly headStats: { readonly numSeries: number; readonly numLabelPairs: number };
  readonly seriesCountByMetricName: readonly NameValue[];
  readonly labelValueCountByLabelName: readonly NameValue[];
  readonly seriesCountByLabelValuePair: readonly NameValue[];
  readonly seriesCountByTarget: readonly NameValue[];
}

export function CardinalityPanel() {
  const resource = useApi<Cardinality>('status/tsdb?limit=10', 30_000);
  return (
    <section aria-label="Cardinality">
      <h2>Cardinality</h2>
      <Loaded resource={resource}>
        {(data) => (
          <>
            <p>
              {data.headStats.numSeries.toLocaleString()} series,{' '}
              {data.headStats.numLabelPairs.toLocaleString()} label pairs in memory
            </p>
            <Top title="Series by metric" rows={data.seriesCountByMetricName} />
            <Top title="Series by target" rows={data.seriesCountByTarget} />
            <Top title="Series by label pair" rows={data.seriesCountByLabelValuePair} />
            <Top title="Values by label" rows={data.labelValueCountByLabelName} />
          </>
        )}
      </Loaded>
    </section>
  );
}

function Top({ title, rows }: { readonly title: string; readonly rows: readonly NameValue[] }) {
  return (
    <details>
      <summary>
        {title} <span class="quiet">{rows[0] === undefined ? '' : `${rows[0].name}, …`}</span>
      </summary>
      <table>
        <tbody>
          {rows.map(({ name, value }) => (
            <tr key={name}>
              <td data-title={title}>{name}</td>
              <td data-title="Count">{value.toLocaleString()}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
