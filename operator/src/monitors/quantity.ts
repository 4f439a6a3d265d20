// resource.Quantity as a number.

const powers: Readonly<Record<string, number>> = {
  ...{ n: 1e-9, u: 1e-6, m: 1e-3, '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18 },
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60 },
};

/** `1.1` or `1100m` → 1.1. Of text that is no quantity, NaN. */
export function parseQuantity(quantity: number | string): number {
  if (typeof quantity === 'number') return quantity;
  const [, digits = '', suffix = ''] = /^([^a-zA-Z]*(?:[eE][+-]?[0-9.]+)?)([a-zA-Z]*)$/.exec(quantity) ?? [];
  return digits === '' ? NaN : Number(digits) * (powers[suffix] ?? NaN);
}
