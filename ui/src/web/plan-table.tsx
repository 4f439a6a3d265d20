// The plan of a query that was run: a tree, and beside each part what it cost.

interface Cost {
  readonly wallMs?: number;
  readonly series?: number;
  readonly samples?: number;
  readonly bytes?: number;
}

export interface Plan {
  readonly operator: string;
  readonly expr: string;
  readonly steps: number;
  readonly notes?: readonly string[];
  readonly cost?: Cost;
  readonly selection?: Cost & { readonly matchers: readonly string[] };
  readonly inputs: readonly Plan[];
}

interface Row {
  readonly depth: number;
  readonly text: string;
  readonly expr: string;
  readonly cost: Cost | undefined;
}

function rowsOf({ operator, expr, steps, notes = [], cost, selection, inputs }: Plan, depth = 0): Row[] {
  const told = steps === 1 ? ['one step', ...notes] : notes;
  const text = told.length === 0 ? operator : `${operator} (${told.join('; ')})`;
  const row = { depth, text, expr, cost };
  const storage = selection && {
    depth: depth + 1,
    text: `storage {${selection.matchers.join(',')}}`,
    expr,
    cost: selection,
  };
  return [row, ...(storage ? [storage] : []), ...inputs.flatMap((input) => rowsOf(input, depth + 1))];
}

export function PlanTable({ plan }: { readonly plan: Plan | undefined }) {
  if (plan === undefined) return <p class="quiet">Nothing to plan.</p>;
  return (
    <table data-testid="plan-table">
      <thead>
        <tr>
          <th>Part</th>
          <th class="value">ms</th>
          <th class="value">Series</th>
          <th class="value">Samples</th>
          <th class="value">KiB</th>
        </tr>
      </thead>
      <tbody>
        {rowsOf(plan).map(({ depth, text, expr, cost }, i) => (
          <tr key={i} title={expr}>
            <td class="metric" style={{ paddingLeft: `${depth + 0.5}rem` }}>
              {text}
            </td>
            <td class="value">{cost?.wallMs?.toFixed(1)}</td>
            <td class="value">{cost?.series}</td>
            <td class="value">{cost?.samples}</td>
            <td class="value">{cost?.bytes !== undefined && Math.round(cost.bytes / 1024)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
