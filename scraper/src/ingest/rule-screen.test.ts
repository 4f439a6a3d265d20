import { Labels, parseRelabelRule, relabel, type RelabelConfig } from '@flotilla/model';
import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { isUntouched } from './rule-screen.ts';

function check(
  pairs: Readonly<Record<string, string>>,
  configs: readonly RelabelConfig[],
  want: boolean,
): void {
  const labels = Labels.fromPairs(Object.entries(pairs));
  const rules = configs.map((config) => parseRelabelRule(config));
  expect([isUntouched(labels, rules), isUntouched(labels, rules)]).toEqual([want, want]);
}

test('knows rules that look at one label', () => {
  const drop = { sourceLabels: ['a'], regex: 'x.*', action: 'drop' };
  const keep = { sourceLabels: ['b'], regex: 'y?', action: 'keep' };
  const copy = { sourceLabels: ['a'], regex: '(z).*', targetLabel: 'c' };
  check({ a: '1', b: 'y' }, [drop, keep, copy], true);
  check({ a: '1' }, [drop, keep, copy], true);
  check({ a: 'x1', b: 'y' }, [drop, keep, copy], false);
  check({ a: '1', b: 'n' }, [drop, keep, copy], false);
  check({ a: 'z', b: 'y' }, [drop, keep, copy], false);
  check({ a: '1' }, [{ regex: 'a', action: 'labeldrop' }], false);
  check({ a: '1' }, [{ ...drop, sourceLabels: ['a', 'b'] }], false);
  check({ a: '1'.repeat(1000) }, [drop], true);
});

test('says so only of what relabeling leaves as it is', () => {
  const label = fc.constantFrom('a', 'b', 'c');
  const rule = fc.record({
    sourceLabels: fc.array(label, { minLength: 1, maxLength: 2 }),
    regex: fc.constantFrom('1', '1|2', '', '.*', '(.)'),
    action: fc.constantFrom('replace', 'keep', 'drop'),
  });
  const withTarget = fc
    .tuple(rule, label)
    .map(([one, targetLabel]) => (one.action === 'replace' ? { ...one, targetLabel } : one));
  const pairs = fc.dictionary(label, fc.constantFrom('1', '2', '3'));
  fc.assert(
    fc.property(fc.array(withTarget, { maxLength: 4 }), pairs, (configs, given) => {
      const labels = Labels.fromPairs(Object.entries(given));
      const rules = configs.map((config) => parseRelabelRule(config));
      const left = relabel(labels, rules)?.toString();
      expect(isUntouched(labels, rules) ? left : '').toBe(
        isUntouched(labels, rules) ? labels.toString() : '',
      );
    }),
  );
});
