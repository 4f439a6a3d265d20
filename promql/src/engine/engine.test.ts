import { describe, expect, test } from '@jest/globals';
import { Labels, parseHistogram, writeStale } from '@flotilla/model';
import type { FloatHistogram } from '@flotilla/model';
import { ParseError } from '../parser/parse-error.ts';
import type { SelectHints, Storage } from '../storage.ts';
import { Engine, type EngineOptions, type QueryControl } from './engine.ts';
import { QueryError } from './errors.ts';
import { MemoryStorage } from './memory-storage.ts';
import type { PlanNode } from './plan-tree.ts';

const MINUTE = 60_000;

/** `series` counters with a sample every 15 s for an hour. */
function counters(series: number): MemoryStorage {
  const storage = new MemoryStorage();
  for (let i = 0; i < series; i++) {
    const labels = Labels.fromRecord({ __name__: 'c_total', instance: String(i) });
    for (let timeMs = 0; timeMs <= 60 * MINUTE; timeMs += 15_000) storage.add(labels, timeMs, timeMs / 1000);
  }
  return storage;
}

const HOUR = { startMs: 0, endMs: 60 * MINUTE, stepMs: MINUTE };

async function failure(options: EngineOptions, expr: string, control: QueryControl = {}): Promise<unknown> {
  const query = new Engine(options).range({ expr, ...HOUR }, counters(20), control);
  return query.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('limits', () => {
  async function check(
    options: EngineOptions,
    expr: string,
    kind: string,
    message: string | RegExp,
  ): Promise<void> {
    const error = await failure(options, expr);
    expect(error).toBeInstanceOf(QueryError);
    expect((error as QueryError).kind).toBe(kind);
    expect((error as QueryError).message).toMatch(message);
  }

  test('samples, as Prometheus words it', async () => {
    const text = 'query processing would load too many samples into memory in query execution';
    await check({ maxSamples: 100 }, 'quantile(0.5, c_total)', 'execution', text);
    await check({}, 'sum_over_time(c_total[10y:1ms])', 'execution', text);
  });

  test('bytes', async () => {
    await check(
      { maxBytes: 1000 },
      'sum(c_total)',
      'execution',
      /^query memory: sum: \d+ bytes, want at most 1000$/,
    );
  });

  test('time', async () => {
    await check({ timeoutMs: -1 }, 'sum(c_total)', 'timeout', 'query timed out in expression evaluation');
  });

  test('aggregations hold their groups, not their input', async () => {
    const query = { expr: 'sum(rate(c_total[5m]))', ...HOUR };
    const result = await new Engine({ maxSamples: 70_000 }).range(query, counters(2000));
    expect(result.stats.samples).toBeGreaterThan(2_000_000);
    expect(result.stats.peakSamples).toBeLessThan(70_000);
  });
});

test('a subquery pinned by @ reads nothing after that time, though its steps go on', async () => {
  const storage = new MemoryStorage();
  for (const name of ['one', 'two']) storage.add(Labels.fromRecord({ __name__: name, a: 'b' }), 0, 1); // Equal without their names.
  const ask = (at: number): Promise<unknown> => {
    const expr = `predict_linear(changes({a="b"}[2m])[15s:1m] @ ${at}, 2)`;
    return new Engine({}).range({ expr, startMs: 10_000, endMs: 90_000, stepMs: 10_000 }, storage);
  };
  await expect(ask(-20)).resolves.toMatchObject({ series: [] });
  await expect(ask(0)).rejects.toThrow('vector cannot contain metrics with the same labelset');
});

describe('cancellation', () => {
  test('before the query begins', async () => {
    const error = await failure({}, 'c_total', { signal: AbortSignal.abort() });
    expect(error).toMatchObject({ kind: 'canceled', message: 'query was canceled in expression evaluation' });
  });

  test('while a storage does not answer', async () => {
    const controller = new AbortController();
    const stuck: Storage = { select: () => new Promise(() => {}) };
    const query = new Engine().instant({ expr: 'm', timeMs: 0 }, stuck, { signal: controller.signal });
    controller.abort();
    await expect(query).rejects.toMatchObject({ kind: 'canceled' });
    const slow = new Engine().instant({ expr: 'm', timeMs: 0 }, stuck, { timeoutMs: 1 });
    await expect(slow).rejects.toMatchObject({ kind: 'timeout' });
  });
});

describe('what reaches the caller', () => {
  test('parse errors, and errors and warnings of the storage, as they are', async () => {
    const engine = new Engine();
    await expect(engine.instant({ expr: 'sum(', timeMs: 0 }, counters(1))).rejects.toBeInstanceOf(ParseError);
    const broken: Storage = { select: () => Promise.reject(new Error('disk on fire')) };
    await expect(engine.instant({ expr: 'm', timeMs: 0 }, broken)).rejects.toThrow('disk on fire');
    const warning: Storage = {
      select: () => Promise.resolve({ series: [], warnings: ['shard 1 is missing'] }),
    };
    const result = await engine.instant({ expr: 'm or n', timeMs: 0 }, warning);
    expect(result).toMatchObject({ type: 'vector', series: [], warnings: ['shard 1 is missing'], infos: [] });
  });

  test('a range query of a range vector is refused', async () => {
    const query = new Engine().range({ expr: 'c_total[5m]', ...HOUR }, counters(1));
    await expect(query).rejects.toThrow('must be Scalar or instant Vector');
  });

  test('counts of samples', async () => {
    const query = { expr: 'count_over_time(c_total[1m])', timeMs: 10 * MINUTE };
    const { stats } = await new Engine().instant(query, counters(3));
    expect(stats.samples).toBe(12);
  });
});

describe('selections', () => {
  async function hintsOf(expr: string): Promise<SelectHints[]> {
    const seen: SelectHints[] = [];
    const storage: Storage = {
      select: (_matchers, hints) => {
        seen.push(hints);
        return Promise.resolve({ series: [], warnings: [] });
      },
    };
    await new Engine().range({ expr, startMs: 600_000, endMs: 1_200_000, stepMs: MINUTE }, storage);
    return seen;
  }

  test('know their time range and surroundings', async () => {
    expect(await hintsOf('sum by (job) (rate(m[2m] offset 1m))')).toEqual([
      {
        startMs: 420_001,
        endMs: 1_140_000,
        stepMs: MINUTE,
        rangeMs: 120_000,
        func: 'rate',
        grouping: [],
        by: false,
      },
    ]);
    expect(await hintsOf('sum by (job) (m)')).toEqual([
      {
        startMs: 300_001,
        endMs: 1_200_000,
        stepMs: MINUTE,
        rangeMs: 0,
        func: 'sum',
        grouping: ['job'],
        by: true,
      },
    ]);
    const atOnce = { startMs: -199_999, endMs: 100_000, stepMs: 0, latestOnly: true };
    expect(await hintsOf('m @ 100')).toMatchObject([atOnce]);
    expect(await hintsOf('max_over_time(m[1m] @ 100)')).not.toMatchObject([{ latestOnly: true }]);
  });

  test('equal ones are asked for once', async () => {
    expect(await hintsOf('sum(m) / sum(m)')).toHaveLength(1);
    expect(await hintsOf('sum(m) / count(m)')).toMatchObject([{ func: '', startMs: 300_001 }]);
  });

  test('one request serves selectors of overlapping times, and those with more matchers', async () => {
    const spanOf = ({ startMs, endMs }: SelectHints): number[] => [startMs, endMs];
    const joined = await hintsOf('rate(m[5m]) / rate(m[1h] offset 1m)');
    expect(joined.map(spanOf)).toEqual([[-3_059_999, 1_200_000]]);
    expect(await hintsOf('m - m offset 1d')).toHaveLength(2);
    expect(await hintsOf('m{a="1"} / m')).toHaveLength(1);
    expect(await hintsOf('m{a="1"} or m{a="2"}')).toHaveLength(2);
    expect(await hintsOf('rate(m{a="1"}[1h]) / m')).toHaveLength(2);
  });
});

test('histograms keep their places between floats and stale markers, whatever a storage leaves at floats', async () => {
  const { histogram } = parseHistogram('count:7 sum:3');
  const histograms: (FloatHistogram | undefined)[] = [];
  histograms[3] = histogram;
  const values = Float64Array.of(1, 0, 2, NaN);
  writeStale(values, 1);
  const labels = Labels.fromRecord({ __name__: 'mixed' });
  const series = [{ labels, timestampsMs: Float64Array.of(0, 1000, 2000, 3000), values, histograms }];
  const storage: Storage = { select: () => Promise.resolve({ series, warnings: [] }) };
  const result = await new Engine({}).instant({ expr: 'mixed[1m]', timeMs: 5000 }, storage);
  expect(result.type === 'matrix' && result.series[0]).toMatchObject({
    timestampsMs: Float64Array.of(0, 2000),
    values: Float64Array.of(1, 2),
    histograms: [{ timeMs: 3000, histogram }],
  });
});

describe('names', () => {
  const storage = counters(1);

  async function labelsOf(expr: string, delayedNameRemoval: boolean): Promise<string[]> {
    const result = await new Engine({ delayedNameRemoval }).instant({ expr, timeMs: MINUTE }, storage);
    return result.type === 'vector' ? result.series.map(({ labels }) => labels.toMetric()) : [];
  }

  test('go at once, or when the query ends', async () => {
    const renamed = 'label_replace(rate(c_total[1m]), "from", "$1", "__name__", "(.+)")';
    expect(await labelsOf(renamed, false)).toEqual(['{instance="0"}']);
    expect(await labelsOf(renamed, true)).toEqual(['{from="c_total", instance="0"}']);
    expect(await labelsOf('last_over_time(c_total[1m])', false)).toEqual(['c_total{instance="0"}']);
  });

  test('go as the first sample of a series says, where `or` has it from both sides', async () => {
    expect(await labelsOf('c_total > Inf or rate(c_total[1m])', true)).toEqual(['{instance="0"}']);
    expect(await labelsOf('c_total or rate(c_total[1m])', true)).toEqual(['c_total{instance="0"}']);
    expect(await labelsOf('rate(c_total[1m]) or c_total', true)).toEqual(['{instance="0"}']);
  });
});

test('a range of one step is sorted without a warning only if nothing in it depends on the step', async () => {
  const warningsOf = async (expr: string): Promise<readonly string[]> => {
    const result = await new Engine().range({ expr, ...HOUR, endMs: 30_000 }, counters(1));
    return result.warnings;
  };
  expect(await warningsOf('sort(vector(1))')).toEqual([]);
  expect(await warningsOf('sort(c_total)')).toHaveLength(1);
});

test('samples are read once, however many windows they are in', async () => {
  const readOf = async (expr: string, stepMs = 15_000): Promise<unknown> => {
    const window = { startMs: 60_000, endMs: 120_000, stepMs };
    const { stats } = await new Engine().range({ expr, ...window }, counters(1), { measure: true });
    expect(stats.readPerStep!.samples.reduce((sum, count) => sum + count)).toBe(stats.samplesRead);
    return [...stats.readPerStep!.samples];
  };
  expect(await readOf('c_total')).toEqual([1, 1, 1, 1, 1]);
  expect(await readOf('rate(c_total[45s])')).toEqual([3, 1, 1, 1, 1]);
  expect(await readOf('rate(c_total[15s])', 30_000)).toEqual([1, 1, 1]);
  expect(await readOf('sum_over_time(c_total[45s] @ 60) + c_total')).toEqual([4, 1, 1, 1, 1]);
  expect(await readOf('max_over_time(c_total[30s:15s])')).toEqual([2, 1, 1, 1, 1]);
});

describe('a part that a query has twice', () => {
  const once = 'sum by (instance) (rate(c_total[2m]))';

  async function run(expr: string): Promise<{ shown: string; samples: number; loads: number }> {
    const { stats, ...result } = await new Engine().range({ expr, ...HOUR }, counters(3), { measure: true });
    const shown = JSON.stringify(result, (_key, value: unknown) =>
      value instanceof Labels ? value.toString() : value,
    );
    expect(stats.perStep!.samples.reduce((sum, count) => sum + count)).toBe(stats.samples);
    return { shown, samples: stats.samples, loads: JSON.stringify(stats.plan).split('"cost"').length - 1 };
  }

  test('is evaluated once, and gives and counts what two would', async () => {
    const shared = await run(`${once} / (${once} + 1) - ${once}`);
    const [second, third] = ['0 + rate', '1 * rate'].map((text) => once.replace('rate', text));
    const apart = await run(`${once} / (${second} + 1) - ${third}`);
    expect([shared.shown, shared.samples]).toEqual([apart.shown, apart.samples]);
    const alone = await run(once);
    expect(shared.samples).toBe(3 * alone.samples);
    // Three binary operators, the number, the three places, and below only one of them rate().
    expect(shared.loads).toBe(3 + 1 + 3 + 1);
  });

  test('is evaluated at each place if it may make a note', async () => {
    const noisy = 'sum(rate(gauge[2m]))';
    expect((await run(`${noisy} / ${noisy}`)).loads).toBe(5);
  });

  test('is not what is the same text at other steps', async () => {
    const { shown } = await run('sum(c_total) - max_over_time(sum(c_total)[30s:15s])');
    expect(shown).toContain('"0":0,"1":0');
  });
});

describe('the plan', () => {
  const expr = 'sum(rate(c_total[1m])) + max_over_time(sum(c_total)[2m:1m]) + sum(c_total @ 60)';

  /** `operator×steps(inputs)` */
  function shape({ operator, steps, inputs }: PlanNode): string {
    return `${operator}×${steps}${inputs.length === 0 ? '' : `(${inputs.map(shape).join(', ')})`}`;
  }

  const wanted =
    '+×61(+×61(sum×61(rate×61(range selector×61)), max_over_time×61(subquery×61(sum×62(selector×62)))), sum×1(selector×1))';

  test('is told without a storage', () => {
    const plan = new Engine().explain({ expr }, HOUR)!;
    expect(shape(plan)).toBe(wanted);
    expect(JSON.stringify(plan)).not.toContain('cost');
    expect(new Engine().explain({ expr: '"text"' }, { startMs: 0, endMs: 0, stepMs: 0 })).toBeUndefined();
  });

  test('says what it cost if it was measured', async () => {
    const storage = counters(3);
    const plain = await new Engine().range({ expr, ...HOUR }, storage);
    const measured = await new Engine().range({ expr, ...HOUR }, storage, { measure: true });
    expect(plain.stats).not.toHaveProperty('plan');
    expect({ ...measured, stats: {} }).toEqual({ ...plain, stats: {} });
    const { plan, perStep, samples } = measured.stats;
    expect(shape(plan!)).toBe(wanted);
    expect(plan!.cost).toMatchObject({ series: 1, samples: 60 }); // rate() has none at the first step.;
    const selector = plan!.inputs[0]!.inputs[0]!.inputs[0]!.inputs[0]!;
    expect(selector.selection).toMatchObject({ series: 3, samples: 723, bytes: 16 * 723 });
    // rate() sees 4 samples of each series, the subquery 2 of its own steps, and `@` 3 at every step.
    expect(perStep!.samples[30]).toBe(4 * 3 + 2 + 3);
    expect(perStep!.samples.reduce((sum, count) => sum + count)).toBe(samples);
  });
});
