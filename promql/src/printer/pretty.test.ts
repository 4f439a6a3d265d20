import { describe, expect, test } from '@jest/globals';

import { parseExpr } from '../parser/parse.ts';
import { prettyExpr } from './pretty.ts';

const WIDE = 'node_network_transmit_bytes_of_every_interface_total{instance="fleet-main-0",device!="lo"}';

describe('prettyExpr', () => {
  function check(text: string, ...lines: readonly string[]): void {
    expect(prettyExpr(parseExpr(text))).toBe(lines.join('\n'));
  }

  const sorted = WIDE.replace('instance="fleet-main-0",device!="lo"', 'device!="lo",instance="fleet-main-0"');

  test('leaves on one line what fits', () => {
    check('sum( rate(m[5m] ))by(job)', 'sum by (job) (rate(m[5m]))');
  });

  test('splits calls and aggregations', () => {
    check(`sum by (job) (rate(${WIDE}[5m]))`, 'sum by (job) (', `  rate(${sorted}[5m])`, ')');
    check(
      `topk(3, avg_over_time(rate(${WIDE}[5m])[1h:]))`,
      'topk(',
      '  3,',
      '  avg_over_time(',
      `    rate(${sorted}[5m])[1h:]`,
      '  )',
      ')',
    );
    check(
      `label_replace(${WIDE}, "a", "b", "c", "d")`,
      'label_replace(',
      `  ${sorted},`,
      '  "a",',
      '  "b",',
      '  "c",',
      '  "d"',
      ')',
    );
  });

  test('splits operators, signs and parentheses', () => {
    check(`${WIDE} / on (job) group_left () m`, `  ${sorted}`, '/ on (job) group_left ()', '  m');
    check(`-(${WIDE} + ${WIDE})`, '-(', `    ${sorted}`, '  +', `    ${sorted}`, ')');
  });

  test('stays quick and small for a deep and wide query', () => {
    const text = `${'('.repeat(390)}label_join(a, "b", "c"${', "d"'.repeat(50_000)})${')'.repeat(390)}`;
    expect(prettyExpr(parseExpr(text)).length).toBeLessThan(20e6);
  });
});
