// Binary operators between two samples of which at least one is a native histogram.

import {
  addHistograms,
  type CombinedHistogram,
  type FloatHistogram,
  subtractHistograms,
  trimHistogram,
} from '@flotilla/model';
import type { BinaryExpr } from '../ast.ts';
import type { Note } from './step-notes.ts';
import { FLOAT, histogramAt, NOTHING, setHistogram, type Tile } from './tile.ts';

/** Either is set. */
export interface Sample {
  readonly value: number;
  readonly histogram: FloatHistogram | undefined;
}

/** What becomes of a pair: a histogram, nothing because a comparison does not hold, or nothing at all. */
type Combined = FloatHistogram | 'unequal' | undefined;

/** The result of the operator; undefined if it makes nothing of the two, which it says. */
export function combineHistograms(
  expr: BinaryExpr,
  left: Sample,
  right: Sample,
  say: (note: Note) => void,
): Combined {
  const { op, pos } = expr;
  const l = left.histogram;
  const r = right.histogram;
  if (l !== undefined && r !== undefined) {
    if (op === '+') return noted(expr, addHistograms(l, r), say);
    if (op === '-') return noted(expr, subtractHistograms(l, r), say);
    if (op === '==') return l.equals(r) ? l : 'unequal';
    if (op === '!=') return l.equals(r) ? 'unequal' : l;
  } else if (l !== undefined) {
    if (op === '*') return l.times(right.value).compact();
    if (op === '/') return l.over(right.value).compact();
    if (op === '</') return trimHistogram(l, right.value, 'below');
    if (op === '>/') return trimHistogram(l, right.value, 'above');
  } else if (op === '*') {
    return r!.times(left.value).compact();
  }
  const typeOf = (one: unknown): 'histogram' | 'float' => (one === undefined ? 'float' : 'histogram');
  say((annotations) => annotations.incompatibleTypes(op, typeOf(l), typeOf(r), pos));
  return undefined;
}

function noted(
  { op, pos }: BinaryExpr,
  combined: CombinedHistogram | undefined,
  say: (note: Note) => void,
): FloatHistogram | undefined {
  if (combined === undefined) {
    say((annotations) => annotations.incompatibleLayouts(op, pos));
    return undefined;
  }
  const operation = op === '+' ? 'addition' : 'subtraction';
  if (combined.hintsCollide) {
    say((annotations) => annotations.resetCollision(operation, pos, 'itself'));
    return undefined;
  }
  if (combined.boundsReconciled) {
    say((annotations) => annotations.boundsReconciled(operation, pos, 'itself'));
  }
  const histogram = combined.histogram.compact();
  return op === '-' ? histogram.withHint('gauge') : histogram;
}

/** Applies the operator to a pair, and puts what comes of it into a cell. */
export function writeCombined(
  expr: BinaryExpr,
  left: Sample,
  right: Sample,
  into: Tile,
  cell: number,
  say: (note: Note) => void,
): void {
  const combined = combineHistograms(expr, left, right, say);
  if (combined === undefined) {
    into.valid[cell] = NOTHING;
  } else if (expr.returnBool) {
    into.valid[cell] = FLOAT;
    into.values[cell] = combined === 'unequal' ? 0 : 1;
  } else if (combined === 'unequal') {
    into.valid[cell] = NOTHING;
  } else {
    setHistogram(into, cell, combined);
  }
}

export function sampleAt(tile: Tile, cell: number): Sample {
  return { value: tile.values[cell]!, histogram: histogramAt(tile, cell) };
}
