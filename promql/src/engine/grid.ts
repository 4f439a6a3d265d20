// The evaluation times of an expression: an evenly spaced grid. An instant query is a grid of one step.

export interface Grid {
  readonly startMs: number;
  /** The end that was asked for: at or after the last step. */
  readonly endMs: number;
  /** Above 0, also when there is one step. */
  readonly stepMs: number;
  /** 0 when the end is before the start, which only a subquery can bring about. */
  readonly steps: number;
  /** Of a subquery that is pinned by `@`: nothing after this time is read, whatever the steps. */
  readonly readEndMs?: number;
}

/** The grid from start to end, both inclusive. */
export function gridBetween(startMs: number, endMs: number, stepMs: number): Grid {
  return { startMs, endMs, stepMs, steps: endMs < startMs ? 0 : Math.floor((endMs - startMs) / stepMs) + 1 };
}

export function instantGrid(timeMs: number): Grid {
  return { startMs: timeMs, endMs: timeMs, stepMs: 1, steps: 1 };
}

/** The first step alone: where what does not depend on the step is evaluated. */
export function firstStep(grid: Grid): Grid {
  return { ...grid, endMs: grid.startMs, steps: 1 };
}

/** The last time on the grid. */
export function gridEnd(grid: Grid): number {
  return grid.startMs + Math.max(0, grid.steps - 1) * grid.stepMs;
}

/**
 * The grid of a subquery: absolute multiples of its step, the first one after the parent's first window begins.
 * The division truncates towards zero, as Go's does, which shows for times before 1970.
 */
export function subqueryGrid(parent: Grid, offsetMs: number, rangeMs: number, stepMs: number): Grid {
  if (parent.steps === 0) return { ...parent, endMs: parent.startMs - 1 };
  const after = parent.startMs - offsetMs - rangeMs;
  let startMs = stepMs * Math.trunc(after / stepMs);
  if (startMs <= after) startMs += stepMs;
  return gridBetween(startMs, gridEnd(parent) - offsetMs, stepMs);
}
