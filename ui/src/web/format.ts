// Words and numbers of the page. Pure.

const units: readonly (readonly [string, number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
];

/** `4.2 s ago`, `3 m ago`, `never` */
export function ago(timeMs: number, nowMs: number): string {
  if (!(timeMs > 0)) return 'never';
  const passed = Math.max(0, nowMs - timeMs);
  for (const [unit, size] of units)
    if (passed >= size)
      return `${unit === 's' ? (passed / size).toFixed(1) : Math.floor(passed / size)} ${unit} ago`;
  return `${Math.round(passed)} ms ago`;
}

/** Prometheus's durations, largest unit first: 90000 → 1m30s */
export function formatRange(rangeMs: number): string {
  let rest = Math.round(rangeMs / 1000) * 1000;
  let text = '';
  for (const [unit, size] of units) {
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text === '' ? '0s' : text;
}

/** 1h30m → ms; undefined when it is none. */
export function tryParseRange(text: string): number | undefined {
  if (!/^(?:\d+[dhms])+$/.test(text)) return undefined;
  let rangeMs = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)([dhms])/g))
    rangeMs += Number(count) * units.find(([name]) => name === unit)![1];
  return rangeMs > 0 ? rangeMs : undefined;
}

/** name{a="b"} */
export function formatMetric(metric: Readonly<Record<string, string>>): string {
  const { __name__: name = '', ...labels } = metric;
  const pairs = Object.entries(labels).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
  return pairs.length === 0 ? name || '{}' : `${name}{${pairs.join(', ')}}`;
}

/** A step that gives about 250 points, never below a second. */
export function stepFor(rangeMs: number): number {
  return Math.max(1, Math.round(rangeMs / 250 / 1000));
}

export interface RangeSeries {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [number, string])[];
}

/** Columns for the plot: the grid of times, then one column a series with null where it has no value. */
export function toColumns(
  series: readonly RangeSeries[],
  startSeconds: number,
  endSeconds: number,
  stepSeconds: number,
): (number | null)[][] {
  const count = Math.floor((endSeconds - startSeconds) / stepSeconds) + 1;
  const times = Array.from({ length: count }, (_, index) => startSeconds + index * stepSeconds);
  const columns = series.map(({ values }) => {
    const column: (number | null)[] = Array.from({ length: count }, () => null);
    for (const [time, text] of values) {
      const value = Number(text.replace('Inf', 'Infinity'));
      const index = Math.round((time - startSeconds) / stepSeconds);
      if (index >= 0 && index < count && Number.isFinite(value)) column[index] = value;
    }
    return column;
  });
  return [times, ...columns];
}
