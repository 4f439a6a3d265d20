// Hot: compensated summation (Kahan, with Neumaier's improvement), step for step as Prometheus does it.
//
// The sum of a group must not depend on who added it up, so every sum in the engine uses this order of operations.

/** The compensation after `sum` takes `value` in and becomes `total`. */
export function compensate(sum: number, value: number, total: number, compensation: number): number {
  if (total === Infinity || total === -Infinity) return 0;
  if (Math.abs(sum) >= Math.abs(value)) return compensation + (sum - total + value);
  return compensation + (value - total + sum);
}
