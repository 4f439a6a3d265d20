import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { Labels } from './labels.ts';
import { parseRelabelRule, type RelabelConfig } from './relabel-rule.ts';
import { relabel, relabelSteps } from './relabel.ts';

type LabelRecord = Record<string, string>;

function check(
  input: LabelRecord,
  configs: RelabelConfig | RelabelConfig[],
  want: LabelRecord | undefined,
): void {
  const rules = [configs].flat().map((config) => parseRelabelRule(config));
  const result = relabel(Labels.fromRecord(input), rules);
  expect(result?.toRecord()).toEqual(want);
  expect(relabelSteps(Labels.fromRecord(input), rules).labels?.toRecord()).toEqual(want);
}

const abc = { a: 'foo', b: 'bar', c: 'baz' };

describe('replace', () => {
  test('copies by default', () => {
    check(abc, { sourceLabels: ['a'], targetLabel: 'd' }, { ...abc, d: 'foo' });
    check(abc, { sourceLabels: ['a', 'b', 'no'], targetLabel: 'd' }, { ...abc, d: 'foo;bar;' });
    check(abc, { sourceLabels: ['a', 'b'], separator: '', targetLabel: 'd' }, { ...abc, d: 'foobar' });
  });

  test('adds a constant with no source', () => {
    check(abc, { targetLabel: 'd', replacement: 'x' }, { ...abc, d: 'x' });
  });

  test('deletes the target on an empty result', () => {
    check(abc, { sourceLabels: ['no'], targetLabel: 'a' }, { b: 'bar', c: 'baz' });
    check(abc, { targetLabel: 'a', replacement: '' }, { b: 'bar', c: 'baz' });
    check(
      abc,
      { sourceLabels: ['a'], regex: 'f(oo)', targetLabel: 'a', replacement: '$1x' },
      { b: 'bar', c: 'baz' },
    );
  });

  test('changes nothing without a match of the whole value', () => {
    check(abc, { sourceLabels: ['a'], regex: 'fo', targetLabel: 'd', replacement: 'x' }, abc);
    check(abc, { sourceLabels: ['a'], regex: 'fo', targetLabel: 'a', replacement: '' }, abc);
  });

  test('expands the target label', () => {
    check(
      abc,
      { sourceLabels: ['a'], regex: '(f)(.*)', targetLabel: '${2}_$1', replacement: '$2$1' },
      { ...abc, oo_f: 'oof' },
    );
    check(abc, { sourceLabels: ['a'], regex: 'f(x?)oo', targetLabel: '$1', replacement: 'y' }, abc);
  });

  test('matches newlines and names groups', () => {
    check(
      { a: 'x\ny' },
      { sourceLabels: ['a'], regex: '(?P<all>.+)', targetLabel: 'b', replacement: '<$all>' },
      { a: 'x\ny', b: '<x\ny>' },
    );
  });

  test('sees what earlier rules did', () => {
    const rules = [
      { sourceLabels: ['a'], targetLabel: 'd' },
      { sourceLabels: ['d'], regex: 'f(.*)', targetLabel: 'e' },
      { sourceLabels: ['e'], regex: 'oo', action: 'drop' },
    ];
    check(abc, rules.slice(0, 2), { ...abc, d: 'foo', e: 'oo' });
    check(abc, rules, undefined);
  });
});

describe('the other actions', () => {
  test('keep and drop', () => {
    check(abc, { sourceLabels: ['a'], regex: 'f.*', action: 'keep' }, abc);
    check(abc, { sourceLabels: ['a'], regex: 'f', action: 'keep' }, undefined);
    check(abc, { sourceLabels: ['a', 'b'], regex: 'foo;bar', action: 'Drop' }, undefined);
    check(abc, { sourceLabels: ['no'], regex: 'x', action: 'drop' }, abc);
    check(abc, { sourceLabels: ['no'], action: 'drop' }, undefined);
  });

  test('keepequal and dropequal', () => {
    const same = { a: 'x', b: 'x', c: 'y' };
    check(same, { sourceLabels: ['a'], targetLabel: 'b', action: 'keepequal' }, same);
    check(same, { sourceLabels: ['a'], targetLabel: 'c', action: 'keepequal' }, undefined);
    check(same, { sourceLabels: ['a'], targetLabel: 'b', action: 'dropequal' }, undefined);
    check(same, { sourceLabels: ['a'], targetLabel: 'c', action: 'dropequal' }, same);
    check(same, { sourceLabels: ['no'], targetLabel: 'none', action: 'dropequal' }, undefined);
  });

  test('hashmod gives the end of the MD5', () => {
    for (const [value, modulus] of [
      ['', 1000],
      ['foo', 1000],
      ['10.0.0.1:9100', 7],
      ['é😀', 1024],
      ['x', Number.MAX_SAFE_INTEGER],
    ] as const) {
      const hex = createHash('md5').update(value).digest('hex').slice(16);
      const want = (BigInt(`0x${hex}`) % BigInt(modulus)).toString();
      check(
        { c: value },
        { sourceLabels: ['c'], targetLabel: 'd', modulus, action: 'hashmod' },
        { ...(value !== '' && { c: value }), d: want },
      );
    }
    // md5("foo;bar") ends in ddadc4ed9df31f3e, computed with md5sum.
    check(
      { a: 'foo', b: 'bar' },
      { sourceLabels: ['a', 'b'], targetLabel: 'd', modulus: 1000, action: 'hashmod' },
      { a: 'foo', b: 'bar', d: '750' },
    );
  });

  test('labelmap copies to expanded names, from the labels as they were', () => {
    const metas = { __meta_a: '1', __meta_b_c: '2', other: '3' };
    check(metas, { regex: '__meta_(.+)', action: 'labelmap' }, { ...metas, a: '1', b_c: '2' });
    check(
      { a: '1', b: '2' },
      { regex: '(a|x_a)', replacement: 'x_$1', action: 'labelmap' },
      { a: '1', b: '2', x_a: '1' },
    );
    check({ a: '1' }, { regex: 'a(x?)', action: 'labelmap' }, { a: '1' });
    check(
      { a: '1', b: '2' },
      { regex: 'a|b', replacement: 'c', action: 'labelmap' },
      { a: '1', b: '2', c: '2' },
    );
  });

  test('labeldrop and labelkeep', () => {
    check(abc, { regex: 'a|b', action: 'labeldrop' }, { c: 'baz' });
    check(abc, { regex: '[ab]', action: 'labelkeep' }, { a: 'foo', b: 'bar' });
    check(abc, { regex: '.*', action: 'labeldrop' }, {});
  });

  test('lowercase and uppercase map each code point alone', () => {
    check(
      { a: 'FoO' },
      { sourceLabels: ['a'], targetLabel: 'b', action: 'lowercase' },
      { a: 'FoO', b: 'foo' },
    );
    check(
      { a: 'FoO' },
      { sourceLabels: ['a'], targetLabel: 'b', action: 'uppercase' },
      { a: 'FoO', b: 'FOO' },
    );
    check({ a: 'ΑΣİÉ' }, { sourceLabels: ['a'], targetLabel: 'a', action: 'lowercase' }, { a: 'ασié' });
    check({ a: 'ßéᾳŉ' }, { sourceLabels: ['a'], targetLabel: 'a', action: 'uppercase' }, { a: 'ßÉᾼŉ' });
  });
});

describe('relabelSteps', () => {
  test('tells what each rule left and which one dropped', () => {
    const rules = [
      { sourceLabels: ['a'], targetLabel: 'd' },
      { sourceLabels: ['a'], regex: 'foo', action: 'drop' },
      { targetLabel: 'e', replacement: 'x' },
    ].map((config) => parseRelabelRule(config));
    const trace = relabelSteps(Labels.fromRecord({ a: 'foo' }), rules);
    expect(trace.steps.map((step) => [step.rule, step.labels?.toString()])).toEqual([
      [0, '{a="foo", d="foo"}'],
      [1, undefined],
    ]);
    expect([trace.labels, trace.droppedBy]).toEqual([undefined, 1]);
    expect(relabelSteps(Labels.EMPTY, []).droppedBy).toBe(-1);
  });
});
