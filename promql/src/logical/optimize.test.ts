// Each pass, by what it makes of a plan as text.

import { expect, test } from '@jest/globals';
import { parseExpr } from '../parser/parse.ts';
import { markHistogramStats } from './histogram-stats.ts';
import { type LogicalPlan, printPlan } from './logical-plan.ts';
import { optimize } from './optimize.ts';
import { propagateMatchers } from './propagate-matchers.ts';
import { markShared } from './shared-subtrees.ts';
import { markInvariant } from './step-invariance.ts';

function planOf(query: string): LogicalPlan {
  const expr = parseExpr(query, { binopFillModifiers: true });
  return { expr, marks: new Map() };
}

function checkPass(
  pass: (plan: LogicalPlan) => LogicalPlan,
  before: string,
  ...after: readonly string[]
): void {
  expect(printPlan(pass(planOf(before))).split('\n')).toEqual(after);
}

test('what gives the same at every step is marked', () => {
  checkPass(
    (plan) => markInvariant(plan, () => false),
    'sum(up @ 60) + time() * 2',
    'sum(up @ 60.000) + time() * 2',
    '  sum(up @ 60.000)  # evaluated once',
    '    up @ 60.000  # evaluated once',
    '  time() * 2',
    '    time()',
    '    2',
  );
});

test('selectors of which counts and sums are enough are marked', () => {
  checkPass(
    markHistogramStats,
    'histogram_sum(rate(h[1m])) / histogram_quantile(0.9, h)',
    'histogram_sum(rate(h[1m])) / histogram_quantile(0.9, h)',
    '  histogram_sum(rate(h[1m]))',
    '    rate(h[1m])',
    '      h[1m]',
    '        h  # only counts and sums of histograms',
    '  histogram_quantile(0.9, h)',
    '    0.9',
    '    h',
  );
});

test('aggregations that come twice are marked, unless they could make a note', () => {
  checkPass(
    markShared,
    'sum(a) / (sum(a) + quantile(0.5, b) - quantile(0.5, b))',
    'sum(a) / (sum(a) + quantile(0.5, b) - quantile(0.5, b))',
    '  sum(a)  # shared',
    '    a',
    '  sum(a) + quantile(0.5, b) - quantile(0.5, b)',
    '    sum(a) + quantile(0.5, b)',
    '      sum(a)  # shared',
    '        a',
    '      quantile(0.5, b)',
    '        b',
    '        0.5',
    '    quantile(0.5, b)',
    '      b',
    '      0.5',
  );
});

/** The query as it is after matchers were propagated. */
function propagated(query: string, want: string): void {
  expect(
    printPlan(propagateMatchers(planOf(query)))
      .split('\n')[0]!
      .replace(/ {2}#.*/, ''),
  ).toBe(want);
}

test('matchers go to the other side of a join, where that is seen', () => {
  checkPass(
    propagateMatchers,
    'abs(b) * on (x) group_left () sum by (x) (a{x="1",y="2"})',
    'abs(b{x="1"}) * on (x) group_left () sum by (x) (a{x="1",y="2"})',
    '  abs(b{x="1"})',
    '    b{x="1"}  # matchers of the other side: x="1"',
    '  sum by (x) (a{x="1",y="2"})',
    '    a{x="1",y="2"}',
  );
});

test('matchers go where the series that they take away do not matter', () => {
  const check = propagated;
  check('b * on (x) min by (x) (a{x="1"})', 'b{x="1"} * on (x) min by (x) (a{x="1"})');
  check('b * ignoring (y) max by (x) (a{x!="1"})', 'b{x!="1"} * ignoring (y) max by (x) (a{x!="1"})');
  check(
    'sum(rate(a{x=~"1|2"}[1m])) by (x) and on (x) b',
    'sum by (x) (rate(a{x=~"1|2"}[1m])) and on (x) b{x=~"1|2"}',
  );
  check('a{x="1"} unless on (x) b{y="2"}', 'a{x="1"} unless on (x) b{x="1",y="2"}');
  check('a{x="1"} / on (x) count by (x) (b)', 'a{x="1"} / on (x) count by (x) (b{x="1"})');
  check(
    'sum by (x) (a{x="1"}) * on (x) group_right () b',
    'sum by (x) (a{x="1"}) * on (x) group_right () b{x="1"}',
  );
  check('(a{x="1"} * on (x) b{y="2"}) and on (x) c', '(a{x="1"} * on (x) b{y="2"}) and on (x) c{x="1"}');
});

test('they stay where anything else could change', () => {
  const check = (query: string): void => propagated(query, query);
  check('a{x="1"} or on (x) b'); // Series without a match are in the answer.
  check('a{x="1"} * on (x) b'); // Two series of b may be an error, whatever a has.
  check('b * on (x) a{x="1"}'); // Two series of a are an error, unless there is no b.
  check('a{x="1"} * on (y) group_right () b'); // Not what they meet on.
  check('sum by (x) (a{x="1"}) * on (x) group_right () {job="b"}'); // Of several names, duplicates.
  check('sum by (x) (a{x="1"}) * on (x) group_right () rate(b[1m])'); // It may say that b is no counter.
  check('a{x="1"} and on (x) sum by (x) (b)'); // It may say that b has floats and histograms.
  check('a{x="1"} and on (x) label_replace(b, "x", "1", "y", "2")');
  check('label_replace(a{x="1"}, "x", "2", "", "") and on (x) b');
  check('(a{x="1"} * on (z) group_left (x) c) and on (x) b'); // That x is c's.
  check('absent_over_time(a{x=~"1|2"}[1m]) and on (x) b');
  check('count_values("x", a{x="1"}) and on (x) b');
  check('sum by (y) (a{x="1"}) and on (x) b');
  check('a unless on (x) b{x="1"}'); // Those without a match are what is asked for.
  check('b * on (x) fill_right (0) a{x="1"}');
});

test('all passes in their order', () => {
  const plan = optimize(
    planOf('count by (x) (b) * on (x) sum by (x) (a{x="1"}) or on (x) count by (x) (b)').expr,
    () => false,
  );
  // The first is asked for less than the second, which makes them two.
  expect(printPlan(plan)).not.toContain('shared');
});
