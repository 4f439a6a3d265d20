// Pass: `a{x="1"} * on (x) group_right b` asks the storage for `b{x="1"}`, since no other b meets an a.
//
// Only where the answer, its errors and its notes are the same. So the side that gets matchers
// - has series that do not matter unless they meet one of the other side: never with fill, never with `or`;
// - changes no refusal: where a match group may have one series only, that side has groups of the labels that are matched;
// - makes no note and no error of its own, be its samples floats or histograms.

import { type Matcher, METRIC_NAME } from '@flotilla/model';
import type { AggregateExpr, BinaryExpr, Call, Expr, VectorMatching, VectorSelector } from '../ast.ts';
import { isFoldOp } from '../engine/fold.ts';
import { mathFunctions } from '../engine/math-functions.ts';
import { overTimeKernels } from '../engine/over-time.ts';
import { valueType } from '../parser/traverse.ts';
import { type LogicalPlan, marked, type Marks, withoutParens } from './logical-plan.ts';
import { rebuilt } from './rebuild.ts';

type Side = 'lhs' | 'rhs';

/** Functions that leave labels but the name as they are, and never say anything. */
const QUIET_FUNCTIONS = new Set([
  ...Object.keys(mathFunctions),
  'count_over_time',
  'last_over_time',
  'present_over_time',
]);
/** Other functions of which each series has the labels, but the name, of one of their argument. */
const LABEL_KEEPERS = new Set([
  'changes',
  'clamp',
  'clamp_max',
  'clamp_min',
  'delta',
  'deriv',
  'idelta',
  'increase',
  'irate',
  'rate',
  'resets',
  'round',
  'sort',
  'sort_desc',
  ...Object.keys(overTimeKernels).filter((name) => name !== 'absent_over_time'),
]);
/** Aggregations whose series are some of those that they choose from. */
const SELECTING_AGGREGATIONS = new Set(['topk', 'bottomk', 'limitk', 'limit_ratio']);
const QUIET_AGGREGATIONS = new Set(['count', 'group']);

export function propagateMatchers(plan: LogicalPlan): LogicalPlan {
  const added: [Expr, Marks][] = [];
  const visit = (expr: Expr): Expr => {
    const inside = rebuilt(expr, visit);
    return inside.kind === 'binary' ? joined(inside, added) : inside;
  };
  return marked({ ...plan, expr: visit(plan.expr) }, added);
}

function joined(binary: BinaryExpr, added: [Expr, Marks][]): Expr {
  const { matching } = binary;
  if (matching === undefined || matching.fillLeft !== undefined || matching.fillRight !== undefined)
    return binary;
  const given = { lhs: knownMatchers(binary.lhs), rhs: knownMatchers(binary.rhs) };
  const pushed = (side: Side, other: Side): Expr => {
    const wanted = given[other].filter(({ name }) => isMatchedOn(name, matching));
    if (wanted.length === 0 || !mayLose(binary, matching, side)) return binary[side];
    return withMatchers(binary[side], wanted, added);
  };
  const lhs = pushed('lhs', 'rhs');
  const rhs = pushed('rhs', 'lhs');
  return lhs === binary.lhs && rhs === binary.rhs ? binary : { ...binary, lhs, rhs };
}

/** Names and what begins like them are not always where they were. */
function isMatchedOn(name: string, { on, labels }: VectorMatching): boolean {
  return labels.includes(name) === on && !name.startsWith('__');
}

/** Whether nobody notices that a side lacks series which meet none of the other side. */
function mayLose({ op, ...sides }: BinaryExpr, matching: VectorMatching, side: Side): boolean {
  if (op === 'or') return false;
  if (op === 'and') return true;
  if (op === 'unless') return side === 'rhs';
  // Two series of one group are an error on the one side, whether they meet any or not, but none if the other side is empty.
  return hasOneOfGroup(matching.card === 'one-to-many' ? sides.lhs : sides.rhs, matching);
}

function hasOneOfGroup(expr: Expr, { on, labels }: VectorMatching): boolean {
  const bare = withoutParens(expr);
  if (bare.kind !== 'aggregate' || bare.without || !isFoldOp(bare.op)) return false;
  return bare.grouping.every((name) => labels.includes(name) === on && name !== METRIC_NAME);
}

/** What every series of the result satisfies, of labels that it has from selectors. */
function knownMatchers(expr: Expr): readonly Matcher[] {
  switch (expr.kind) {
    case 'selector':
      return expr.matchers;
    case 'matrix':
      return expr.selector.matchers;
    case 'paren':
    case 'unary':
    case 'subquery':
      return knownMatchers(expr.expr);
    case 'aggregate':
      return keptMatchers(expr);
    case 'binary':
      return knownOfBinary(expr);
    case 'call':
      return knownOfCall(expr);
    case 'number':
    case 'string':
      break;
  }
  return [];
}

function keptMatchers(expr: AggregateExpr): readonly Matcher[] {
  const { op, grouping, without } = expr;
  if (op === 'count_values') return []; // It writes a label.
  const known = knownMatchers(expr.expr);
  if (SELECTING_AGGREGATIONS.has(op)) return known;
  return known.filter(({ name }) => grouping.includes(name) !== without);
}

function knownOfBinary({ op, lhs, rhs, matching }: BinaryExpr): readonly Matcher[] {
  if (op === 'or' || matching?.fillLeft !== undefined || matching?.fillRight !== undefined) return [];
  if (matching === undefined) return knownMatchers(valueType(lhs) === 'scalar' ? rhs : lhs);
  const known = knownMatchers(matching.card === 'one-to-many' ? rhs : lhs);
  if (op === 'and' || op === 'unless') return known;
  const isKept = (name: string): boolean => matching.card !== 'one-to-one' || isMatchedOn(name, matching);
  return known.filter(({ name }) => isKept(name) && !matching.include.includes(name));
}

function knownOfCall({ func, args }: Call): readonly Matcher[] {
  const [arg] = args;
  return arg !== undefined && (QUIET_FUNCTIONS.has(func) || LABEL_KEEPERS.has(func))
    ? knownMatchers(arg)
    : [];
}

/** The expression over fewer series; itself where something in it would notice. */
function withMatchers(expr: Expr, wanted: readonly Matcher[], added: [Expr, Marks][]): Expr {
  switch (expr.kind) {
    case 'selector':
      return narrowed(expr, wanted, added);
    case 'matrix':
    case 'paren':
      return rebuilt(expr, (part) => withMatchers(part, wanted, added));
    case 'aggregate':
      if (!QUIET_AGGREGATIONS.has(expr.op)) return expr;
      return rebuilt(expr, (part) =>
        withMatchers(
          part,
          wanted.filter(({ name }) => expr.grouping.includes(name) !== expr.without),
          added,
        ),
      );
    case 'call':
      return QUIET_FUNCTIONS.has(expr.func)
        ? rebuilt(expr, (part) => withMatchers(part, wanted, added))
        : expr;
    case 'binary':
    case 'number':
    case 'string':
    case 'subquery':
    case 'unary':
      break;
  }
  return expr;
}

/** Of one metric only: of several, functions that take the name away could make equals of two. */
function narrowed(selector: VectorSelector, wanted: readonly Matcher[], added: [Expr, Marks][]): Expr {
  const { matchers } = selector;
  const isNamed = matchers.some(({ type, name }) => type === '=' && name === METRIC_NAME);
  if (!isNamed || selector.anchored || selector.smoothed) return selector;
  const texts = new Set(matchers.map(String));
  const more = wanted.filter((matcher) => !texts.has(String(matcher)));
  if (more.length === 0) return selector;
  const narrow = { ...selector, matchers: [...matchers, ...more] };
  added.push([narrow, { added: more }]);
  return narrow;
}
