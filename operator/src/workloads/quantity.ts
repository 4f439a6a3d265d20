// Quantities as Kubernetes writes them: 500m, 2, 1.5Gi, 1e3.

const factors: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** In the base unit: bytes, cores. NaN for what is no quantity. */
export function parseQuantity(quantity: string | number): number {
  const parts = /^([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)([numkMGTPE]|[KMGTPE]i)?$/.exec(String(quantity));
  if (parts === null) return Number.NaN;
  return Number(parts[1]) * factors[parts[2] ?? '']!;
}
