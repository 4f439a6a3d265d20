// Plans info(): which series the labels come from, and when these are looked at.

import { Matcher, METRIC_NAME } from '@flotilla/model';
import type { Expr, VectorSelector } from '../ast.ts';
import { children, valueType } from '../parser/traverse.ts';
import type { Grid } from './grid.ts';
import { Info } from './info.ts';
import type { Operator } from './operator.ts';
import type { Planner } from './plan.ts';

/** What `@` and `offset` make of the time of evaluation. */
interface Reference {
  readonly atMs: number | undefined;
  readonly offsetMs: number;
}

const NOW: Reference = { atMs: undefined, offsetMs: 0 };

function sameReference(a: Reference, b: Reference): boolean {
  if (a.atMs === undefined || b.atMs === undefined) return a.atMs === b.atMs && a.offsetMs === b.offsetMs;
  return a.atMs - a.offsetMs === b.atMs - b.offsetMs;
}

export function planInfo(planner: Planner, args: readonly Expr[], grid: Grid): Operator {
  const input = planner.plan(args[0]!, grid);
  const selector = args[1]?.kind === 'selector' ? args[1] : undefined;
  const given = selector?.matchers ?? [];
  const data = given.filter(({ name }) => name !== METRIC_NAME);
  const names = effectiveNames(given.filter(({ name }) => name === METRIC_NAME));
  const { atMs, offsetMs } = sharedReference(planner, args[0]!) ?? NOW;
  const timed: VectorSelector = {
    kind: 'selector',
    name: '',
    matchers: [...data, ...names],
    offsetMs,
    ...(atMs !== undefined && { at: { timestampMs: atMs } }),
    anchored: false,
    smoothed: false,
    pos: args[0]!.pos,
  };
  const source = planner.infoSelector(timed, grid);
  return new Info(input, source, { names, data }, planner.evaluation);
}

/** Only negative matchers mean any metric that is called …_info; none means target_info. */
function effectiveNames(matchers: readonly Matcher[]): readonly Matcher[] {
  if (matchers.some(({ type }) => type === '=' || type === '=~')) return matchers;
  if (matchers.length === 0) return [new Matcher('=', METRIC_NAME, 'target_info')];
  return [new Matcher('=~', METRIC_NAME, '.+_info'), ...matchers];
}

/** The reference that all selectors of an expression share; undefined if they do not, or if a vector has none. */
export function sharedReference(planner: Planner, expr: Expr): Reference | undefined {
  const found: Reference[] = [];
  const allHaveOne = collect(planner, expr, [], found);
  const [first] = found;
  if (first === undefined || !allHaveOne) return undefined;
  return found.every((one) => sameReference(first, one)) ? first : undefined;
}

/** Gathers the references of selectors; false if any vector in it has no selector at all. */
function collect(planner: Planner, expr: Expr, around: readonly Expr[], found: Reference[]): boolean {
  if (expr.kind === 'selector') {
    found.push(referenceOf(planner, expr, around));
    return true;
  }
  const path = [...around, expr];
  const parts = expr.kind === 'call' && expr.func === 'info' ? expr.args.slice(0, 1) : children(expr);
  const vectors = parts.filter((part) => valueType(part) === 'vector' || valueType(part) === 'matrix');
  const results = vectors.map((part) => collect(planner, part, path, found));
  return results.length > 0 && results.every(Boolean);
}

function referenceOf(planner: Planner, selector: VectorSelector, around: readonly Expr[]): Reference {
  let atMs = planner.timeOf(selector.at);
  let offsetMs = planner.offsetOf(selector);
  for (const expr of around.toReversed()) {
    if (expr.kind !== 'subquery' || atMs !== undefined) continue;
    offsetMs += planner.offsetOf(expr);
    atMs = planner.timeOf(expr.at);
  }
  return { atMs, offsetMs };
}
