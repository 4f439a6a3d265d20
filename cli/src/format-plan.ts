// The plan of a query as lines: a tree, and beside each part what it cost if the query was run.

import type { PlanNode, PlanSelection } from '@flotilla/promql';

/** One line a part, inputs below and further in; costs, where there are any, in columns on the left. */
export function formatPlan(plan: PlanNode): string[] {
  const rows = [...rowsOf(plan, 0)];
  if (rows.every(({ costs }) => costs === undefined)) return rows.map(({ text }) => text);
  const head = ['ms', 'series', 'samples', 'KiB'];
  const widths = head.map((name, i) =>
    Math.max(name.length, ...rows.map(({ costs }) => costs?.[i]?.length ?? 0)),
  );
  const line = (cells: readonly string[], text: string): string =>
    `${widths.map((width, i) => (cells[i] ?? '').padStart(width)).join('  ')}  ${text}`.trimEnd();
  return [line(head, ''), ...rows.map(({ costs = [], text }) => line(costs, text))];
}

interface Row {
  readonly costs: readonly string[] | undefined;
  readonly text: string;
}

function* rowsOf(
  { operator, steps, notes, selection, cost, inputs }: PlanNode,
  depth: number,
): Iterable<Row> {
  const indent = '  '.repeat(depth);
  const told = [...(steps === 1 ? ['one step'] : []), ...(notes ?? [])];
  const text = `${indent}${operator}${told.length === 0 ? '' : ` (${told.join('; ')})`}`;
  yield { costs: cost && costCells(cost), text };
  if (selection !== undefined) yield selectionRow(selection, `${indent}  `);
  for (const input of inputs) yield* rowsOf(input, depth + 1);
}

function selectionRow(selection: PlanSelection, indent: string): Row {
  const { matchers, startMs, endMs, wallMs, series = 0, samples = 0, bytes = 0 } = selection;
  const time = (timeMs: number): string => new Date(timeMs).toISOString();
  return {
    costs: wallMs === undefined ? undefined : costCells({ wallMs, series, samples, bytes }),
    text: `${indent}storage {${matchers.join(',')}} from ${time(startMs)} to ${time(endMs)}`,
  };
}

function costCells(cost: { wallMs: number; series: number; samples: number; bytes: number }): string[] {
  const { wallMs, series, samples, bytes } = cost;
  return [wallMs.toFixed(1), `${series}`, `${samples}`, (bytes / 1024).toFixed(0)];
}
