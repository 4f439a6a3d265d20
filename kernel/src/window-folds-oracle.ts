// Functions over time for tests: every window alone, sample by sample, as Prometheus writes them down.

type Fold = (window: readonly number[]) => number;

/** Neumaier's step: the compensation after `before` takes `value` in and becomes `total`. */
function compensate(before: number, value: number, total: number, compensation: number): number {
  if (total === Infinity || total === -Infinity) return 0;
  if (Math.abs(before) >= Math.abs(value)) return compensation + (before - total + value);
  return compensation + (value - total + before);
}

function sum(window: readonly number[]): number {
  let total = 0;
  let rest = 0;
  for (const value of window) {
    rest = compensate(total, value, total + value, rest);
    total += value;
  }
  return total === Infinity || total === -Infinity ? total : total + rest;
}

function average(window: readonly number[]): number {
  let total = window[0]!;
  let rest = 0;
  for (let i = 1; i < window.length; i++) {
    const next = total + window[i]!;
    if (next === Infinity || next === -Infinity) return incrementalAverage(window, i, total, rest);
    rest = compensate(total, window[i]!, next, rest);
    total = next;
  }
  return total / window.length + rest / window.length;
}

/** Goes on from sample `from`, where the sum would overflow, with a running mean. */
function incrementalAverage(window: readonly number[], from: number, total: number, rest: number): number {
  let mean = total / from;
  let compensation = rest / from;
  for (let i = from; i < window.length; i++) {
    const share = i / (i + 1);
    const value = window[i]! / (i + 1);
    const before = share * mean;
    mean = before + value;
    compensation = compensate(before, value, mean, share * compensation);
  }
  return mean + compensation;
}

/** Welford's, compensated. */
function variance(window: readonly number[]): number {
  let mean = 0;
  let meanRest = 0;
  let squares = 0;
  let squaresRest = 0;
  for (const [i, value] of window.entries()) {
    const delta = value - (mean + meanRest);
    const part = delta / (i + 1);
    meanRest = compensate(mean, part, mean + part, meanRest);
    mean += part;
    const square = delta * (value - (mean + meanRest));
    squaresRest = compensate(squares, square, squares + square, squaresRest);
    squares += square;
  }
  return (squares + squaresRest) / window.length;
}

function extreme(isBetter: (value: number, best: number) => boolean): Fold {
  return (window) =>
    window.reduce((best, value) => (isBetter(value, best) || Number.isNaN(best) ? value : best));
}

function pairs(counts: (before: number, now: number) => boolean): Fold {
  return (window) => window.filter((now, i) => i > 0 && counts(window[i - 1]!, now)).length;
}

export const oracleFolds = {
  sum,
  average,
  variance,
  deviation: (window) => Math.sqrt(variance(window)),
  maximum: extreme((value, best) => value > best),
  minimum: extreme((value, best) => value < best),
  changes: pairs((before, now) => now !== before && !(Number.isNaN(now) && Number.isNaN(before))),
  resets: pairs((before, now) => now < before),
} satisfies Record<string, Fold>;
