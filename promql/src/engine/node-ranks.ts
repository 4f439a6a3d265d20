// In which order Prometheus evaluates the nodes of a query: of two notes of the same text the later one counts, and with
// it its position. Our operators compute rows on demand, in another order.

import type { Expr, PositionRange } from '../ast.ts';
import { children } from '../parser/traverse.ts';

interface Ranks {
  /** When the node at the position is done. */
  readonly own: number;
  /** When the node is done that it is an argument of. */
  outer: number;
}

/** Ranks by the positions' identity: each node has its own. */
export class NodeRanks {
  private readonly ranks = new Map<PositionRange, Ranks>();

  constructor(query: Expr) {
    this.visit(query);
  }

  /** Of a note at a position, made by the node there, or else by the one around it. */
  rankOf(pos: PositionRange, ofItself: boolean): number {
    const ranks = this.ranks.get(pos);
    return (ofItself ? ranks?.own : ranks?.outer) ?? 0;
  }

  /** Lets a note be shown at another position. */
  shown(pos: PositionRange, at: PositionRange): PositionRange {
    const ranks = this.ranks.get(pos);
    const shown = { ...at };
    if (ranks !== undefined) this.ranks.set(shown, ranks);
    return shown;
  }

  private visit(expr: Expr): number {
    const parts = children(expr);
    for (const part of parts) this.visit(part);
    const own = this.ranks.size + 1;
    this.ranks.set(expr.pos, { own, outer: Infinity });
    if (expr.kind !== 'paren') for (const part of parts) this.setOuter(part, own);
    return own;
  }

  private setOuter(expr: Expr, outer: number): void {
    this.ranks.get(expr.pos)!.outer = outer;
    if (expr.kind === 'paren') this.setOuter(expr.expr, outer);
  }
}
