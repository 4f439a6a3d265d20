import { expect, test } from '@jest/globals';
import type { PlanNode } from '@flotilla/promql';
import { formatPlan } from './format-plan.ts';

const span = { startMs: 0, endMs: 60_000, stepMs: 60_000, steps: 2 };
const selector: PlanNode = {
  operator: 'selector',
  expr: 'up',
  ...span,
  selection: { matchers: ['__name__="up"'], startMs: -299_999, endMs: 60_000 },
  inputs: [],
};

test('a plan is a tree', () => {
  expect(
    formatPlan({ operator: 'sum', expr: 'sum(up)', ...span, notes: ['shared'], inputs: [selector] }),
  ).toEqual([
    'sum (shared)',
    '  selector',
    '    storage {__name__="up"} from 1969-12-31T23:55:00.001Z to 1970-01-01T00:01:00.000Z',
  ]);
});

test('what was run says its cost', () => {
  const cost = { wallMs: 1.25, series: 3, samples: 6, bytes: 2048 };
  const selection = { ...selector.selection!, wallMs: 12.5, series: 3, samples: 60, bytes: 960 };
  expect(formatPlan({ ...selector, cost, selection })).toEqual([
    '  ms  series  samples  KiB',
    ' 1.3       3        6    2  selector',
    '12.5       3       60    1    storage {__name__="up"} from 1969-12-31T23:55:00.001Z to 1970-01-01T00:01:00.000Z',
  ]);
});
