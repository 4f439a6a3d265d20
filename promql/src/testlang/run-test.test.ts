import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parseTest } from './parse-test.ts';
import { runTest } from './run-test.ts';
import { parseSequence } from './sequence.ts';

const folder = new URL('../../src/testdata/', import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, folder), 'utf8');

describe('test files', () => {
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.test'))) {
    test(`${name} passes`, async () => {
      const outcomes = await runTest(read(name), { delayedNameRemoval: false });
      expect(outcomes.filter((one) => one.status !== 'passed')).toEqual([]);
      expect(outcomes.length).toBeGreaterThan(5);
    });
  }
});

describe('runTest', () => {
  async function check(text: string, want: readonly string[]): Promise<void> {
    const outcomes = await runTest(text);
    expect(outcomes.map(({ status, reason }) => (reason === '' ? status : `${status}: ${reason}`))).toEqual(
      want,
    );
  }

  test('says what is wrong', async () => {
    await check('load 1m\n  m 1\n\neval instant at 0 m\n  m 2\n', [
      'failed: m at 0: expected 2 for m, got 1',
    ]);
    await check('eval instant at 0 m\n  m 2\n', ['failed: m at 0: expected m, got nothing of it']);
    await check('eval instant at 0 1\n  expect fail\n', ['failed: 1 at 0: expected an error, got none']);
    await check('eval instant at 0 (\n  1\n', [
      'failed: expected no error, got 1:2: parse error: unclosed left parenthesis',
    ]);
  });

  test('compares native histograms', async () => {
    const load = 'load 1m\n  n {{schema:0 sum:1 count:1 buckets:[1]}}+{{sum:1 count:1 buckets:[1]}}x3\n\n';
    await check(`${load}eval instant at 0 histogram_sum(n)\n  {} 1\n`, ['passed']);
    await check(`${load}eval instant at 1m n\n  n {{sum:2 count:2 buckets:[2]}}\n`, ['passed']);
    await check(`${load}eval instant at 1m n\n  n {{sum:2 count:3 buckets:[3]}}\n`, [
      'failed: n at 60000: expected {{count:3 sum:2 buckets:[3]}} for n, got {{count:2 sum:2 counter_reset_hint:not_reset buckets:[2]}}',
    ]);
  });

  test('makes native histograms of classic ones', async () => {
    const load = 'load_with_nhcb 1m\n  h_bucket{le="1"} 1\n  h_bucket{le="+Inf"} 3\n  h_sum 5\n\n';
    const want = '{{schema:-53 count:3 sum:5 custom_values:[1] buckets:[1 2]}}';
    await check(`${load}eval instant at 0 h\n  h ${want}\n`, ['passed']);
  });

  test('refuses what is not of the language', () => {
    expect(() => parseTest('clear\nfetch 1')).toThrow('line 2: "fetch 1", want clear, load or eval');
    expect(() => parseTest('load 1m\n  m 1xx2')).toThrow(/line 1: .*sequence: "1xx2"/);
  });
});

describe('parseSequence', () => {
  function check(text: string, want: readonly (number | string)[]): void {
    const items = parseSequence(text).map((item) => (item.kind === 'value' ? item.value : item.kind));
    expect(items).toEqual(want);
  }

  test('expands repetitions', () => {
    check('1 _ stale', [1, 'omitted', 'stale']);
    check('1x2 _x2', [1, 1, 1, 'omitted', 'omitted']);
    check('1+2x3 5-1x1', [1, 3, 5, 7, 5, 4]);
    check('-1e3 +Inf NaN', [-1000, Infinity, NaN]);
    check('-2-1x2', [-2, -3, -4]);
    check('{{sum:1 count:2}}x1', ['histogram', 'histogram']);
  });
});
