import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { parseRelabelRule, type RelabelConfig, relabelRuleConfig } from './relabel-rule.ts';

describe('parseRelabelRule', () => {
  test('refuses what Prometheus refuses', () => {
    function check(config: RelabelConfig, want: string): void {
      expect(() => parseRelabelRule(config)).toThrow(want);
    }
    check({ action: 'move' }, 'unknown relabel action "move"');
    check(
      { action: 'hashmod', targetLabel: 'a' },
      'relabel configuration for hashmod requires non-zero modulus',
    );
    check({ action: 'hashmod', targetLabel: 'a', modulus: -1 }, 'modulus: -1, want a whole number');
    check(
      { action: 'hashmod', modulus: 2 },
      "relabel configuration for hashmod action requires 'target_label' value",
    );
    check({}, "relabel configuration for replace action requires 'target_label' value");
    check({ targetLabel: '\ud800' }, '"\\ufffd" is invalid \'target_label\' for replace action');
    check({ sourceLabels: [''], targetLabel: 'a' }, '"" is not a valid label name');
    check(
      { action: 'lowercase', targetLabel: 'a', replacement: 'x' },
      "'replacement' can not be set for lowercase action",
    );
    check({ action: 'labelmap', replacement: '' }, '"" is invalid \'replacement\' for labelmap action');
    check(
      { action: 'keepequal', targetLabel: 'a', regex: 'x' },
      "keepequal action requires only 'source_labels' and `target_label`, and no other fields",
    );
    check({ action: 'dropequal', targetLabel: 'a', modulus: 2 }, 'dropequal action requires only');
    check(
      { action: 'labeldrop', regex: 'a', sourceLabels: ['b'] },
      "labeldrop action requires only 'regex', and no other fields",
    );
    check({ action: 'labelkeep', separator: '' }, 'labelkeep action requires only');
    check({ targetLabel: 'a', regex: '(' }, 'error parsing regexp: missing closing ): `(`');
  });

  test('refuses what is no name of the legacy scheme, where that holds', () => {
    function check(config: RelabelConfig, want: string): void {
      parseRelabelRule(config);
      expect(() => parseRelabelRule(config, 'legacy')).toThrow(want);
    }
    function checkTaken(config: RelabelConfig): void {
      parseRelabelRule(config, 'legacy');
    }
    check({ targetLabel: 'a.b' }, `"a.b" is invalid 'target_label' for replace action`);
    check({ targetLabel: '1$1' }, `"1$1" is invalid 'target_label' for replace action`);
    check({ targetLabel: 'a_${1' }, `"a_\${1" is invalid 'target_label' for replace action`);
    check({ action: 'uppercase', targetLabel: 'é' }, `"é" is invalid 'target_label' for uppercase action`);
    check({ action: 'dropequal', targetLabel: '$1' }, `"$1" is invalid 'target_label'`);
    check({ action: 'hashmod', targetLabel: '1', modulus: 2 }, `"1" is invalid 'target_label'`);
    check({ action: 'labelmap', replacement: 'x.$1' }, `"x.$1" is invalid 'replacement'`);
    checkTaken({ targetLabel: 'a_1', sourceLabels: ['a.b'] });
    checkTaken({ targetLabel: '${1}_a1$x' });
    checkTaken({ action: 'labelmap', replacement: '$1_' });
  });

  test('fills in the defaults, and an explicit empty separator or replacement counts', () => {
    const rule = parseRelabelRule({ targetLabel: 'a', regex: '', action: '' });
    expect([rule.action, rule.separator, rule.regex.pattern, rule.replacement]).toEqual([
      'replace',
      ';',
      '(.*)',
      '$1',
    ]);
    expect(parseRelabelRule({ targetLabel: 'a', separator: '', replacement: '' })).toMatchObject({
      separator: '',
      replacement: '',
    });
  });

  test('round-trips through relabelRuleConfig and JSON', () => {
    const config = fc.record(
      {
        sourceLabels: fc.array(fc.constantFrom('a', 'b.c', '__name__'), { maxLength: 3 }),
        separator: fc.constantFrom('', ';', '-'),
        targetLabel: fc.constantFrom('a', '$1', 'é'),
        regex: fc.constantFrom('', '(.*)', 'a|b', '[x]'),
        modulus: fc.integer({ min: 0, max: 9 }),
        replacement: fc.constantFrom('', '$1', 'x'),
        action: fc.constantFrom(
          'replace',
          'KEEP',
          'drop',
          'hashmod',
          'labelmap',
          'labeldrop',
          'keepequal',
          'uppercase',
        ),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(config, (given) => {
        let rule;
        try {
          rule = parseRelabelRule(given);
        } catch {
          return;
        }
        const wire = JSON.stringify(relabelRuleConfig(rule));
        const again = parseRelabelRule(JSON.parse(wire) as RelabelConfig);
        expect(JSON.stringify(relabelRuleConfig(again))).toBe(wire);
        expect({ ...again, regex: again.regex.pattern }).toEqual({ ...rule, regex: rule.regex.pattern });
      }),
    );
  });
});
