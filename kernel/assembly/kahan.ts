// Hot: compensated summation (Kahan, with Neumaier's improvement), step for step as Prometheus does it.

/** The compensation after `sum` takes `value` in and becomes `total`. */
@inline export function compensate(sum: f64, value: f64, total: f64, compensation: f64): f64 {
  if (abs(total) == Infinity) return 0;
  if (abs(sum) >= abs(value)) return compensation + (sum - total + value);
  return compensation + (value - total + sum);
}

/** What `sum` + `value` = `next` has lost, found without a branch (Knuth's 2Sum): as compensate() while all is finite. */
@inline export function lostBy(sum: f64, value: f64, next: f64): f64 {
  const part = next - sum;
  return sum - (next - part) + (value - part);
}

/** lostBy() of two sums. */
@inline export function lostByTwo(sums: v128, values: v128, next: v128): v128 {
  const part = f64x2.sub(next, sums);
  return f64x2.add(f64x2.sub(sums, f64x2.sub(next, part)), f64x2.sub(values, part));
}
