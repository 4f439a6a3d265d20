import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { compareLabels, Labels } from './labels.ts';
import { LabelInterner } from './label-interner.ts';
import { LabelsBuilder } from './labels-builder.ts';

const anyText = fc.string({ unit: 'binary', maxLength: 6 });
const anyRecord = fc.dictionary(anyText, anyText, { maxKeys: 8 });

function compareBytes(a: Labels, b: Labels): number {
  for (let i = 0; i < Math.min(a.flat.length, b.flat.length); i++) {
    const order = Buffer.compare(Buffer.from(a.flat[i]!), Buffer.from(b.flat[i]!));
    if (order !== 0) return order;
  }
  return Math.sign(a.flat.length - b.flat.length);
}

describe('Labels', () => {
  test('sort by name and leave out empty values', () => {
    const labels = Labels.fromRecord({ job: 'x', a: '1', gone: '', Z: '2' });
    expect([...labels]).toEqual([
      ['Z', '2'],
      ['a', '1'],
      ['job', 'x'],
    ]);
    expect(labels.length).toBe(3);
    expect([labels.name(1), labels.value(1)]).toEqual(['a', '1']);
    expect([labels.get('job'), labels.get('gone'), labels.has('job'), labels.has('gone')]).toEqual([
      'x',
      '',
      true,
      false,
    ]);
  });

  test('refuse a name that comes twice', () => {
    const pairs: [string, string][] = [
      ['a', '1'],
      ['b', '2'],
      ['a', '3'],
    ];
    expect(() => Labels.fromPairs(pairs)).toThrow('labels: "a" comes twice, want each label name once');
  });

  test('nothing is EMPTY', () => {
    expect(Labels.fromRecord({ a: '' })).toBe(Labels.EMPTY);
    expect(Labels.fromSorted([])).toBe(Labels.EMPTY);
  });

  test('keep names that objects treat specially', () => {
    const labels = Labels.fromPairs([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
    expect(Object.entries(labels.toRecord())).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
    expect(JSON.stringify(labels)).toBe('{"__proto__":"x","constructor":"y"}');
  });

  test('have a key that is equal exactly for equal labels', () => {
    fc.assert(
      fc.property(anyRecord, anyRecord, (a, b) => {
        const [x, y] = [Labels.fromRecord(a), Labels.fromRecord(b)];
        expect(x.key === y.key).toBe(x.equals(y));
        expect(Labels.fromRecord(a).key).toBe(x.key);
      }),
    );
    const tricky = [
      ['a', '\0'],
      ['a', '\x01'],
      ['a', '\x01\x02'],
      ['a\0', 'b'],
      ['a', '\0b'],
      ['a', 'b', 'c', 'd'],
      ['a', 'b\0c\0d'],
    ];
    expect(new Set(tricky.map((flat) => Labels.fromSorted(flat).key)).size).toBe(tricky.length);
  });

  test('are equal to a test whether or not their key was read', () => {
    const [a, b] = [Labels.fromRecord({ a: '1' }), Labels.fromRecord({ a: '1' })];
    expect(a.key).not.toBe('');
    expect(a).toEqual(b);
    expect(a).not.toEqual(Labels.fromRecord({ a: '2' }));
  });

  test('order as their bytes do', () => {
    fc.assert(
      fc.property(anyRecord, anyRecord, (a, b) => {
        const [x, y] = [Labels.fromRecord(a), Labels.fromRecord(b)];
        expect(Math.sign(compareLabels(x, y))).toBe(compareBytes(x, y));
      }),
    );
    expect(compareLabels(Labels.fromRecord({ a: '1' }), Labels.fromRecord({ a: '1', b: '1' }))).toBeLessThan(
      0,
    );
  });
});

describe('text forms', () => {
  function check(record: Record<string, string>, wantString: string, wantMetric: string): void {
    const labels = Labels.fromRecord(record);
    expect(labels.toString()).toBe(wantString);
    expect(labels.toMetric()).toBe(wantMetric);
  }

  test('are Prometheus’s', () => {
    check({}, '{}', '{}');
    check({ __name__: 'up' }, '{__name__="up"}', 'up');
    check({ __name__: 'up', job: 'x' }, '{__name__="up", job="x"}', 'up{job="x"}');
    check({ a: 'b', c: 'd"\n' }, '{a="b", c="d\\"\\n"}', '{a="b", c="d\\"\\n"}');
    check({ __name__: 'job:up:sum' }, '{__name__="job:up:sum"}', 'job:up:sum');
    check({ __name__: 'my.metric' }, '{__name__="my.metric"}', '{"my.metric"}');
    check(
      { __name__: 'my.metric', 'a.b': 'c' },
      '{__name__="my.metric", "a.b"="c"}',
      '{"my.metric", "a.b"="c"}',
    );
  });
});

describe('LabelsBuilder', () => {
  test('agrees with a record, for any sequence of changes', () => {
    const change = fc.tuple(
      fc.constantFrom('a', 'b', 'c', 'd', '\uffff', '😀'),
      fc.constantFrom('', '1', '2'),
    );
    fc.assert(
      fc.property(anyRecord, fc.array(change, { maxLength: 20 }), (record, changes) => {
        const builder = new LabelsBuilder(Labels.fromRecord(record));
        const want = new Map(Object.entries(record));
        for (const [name, value] of changes) {
          builder.set(name, value);
          want.set(name, value);
          expect(builder.get(name)).toBe(value);
        }
        expect(builder.labels().equals(Labels.fromPairs(want))).toBe(true);
      }),
    );
  });

  test('gives the base back while nothing changes', () => {
    const base = Labels.fromRecord({ a: '1', b: '2' });
    expect(new LabelsBuilder(base).set('a', '1').delete('c').set('d', '').labels()).toBe(base);
  });

  test('never changes what it gave out', () => {
    const builder = new LabelsBuilder(Labels.fromRecord({ a: '1' }));
    const first = builder.set('b', '2').labels();
    const second = builder.set('b', '3').labels();
    expect([first.get('b'), second.get('b')]).toEqual(['2', '3']);
  });

  test('can change while iterated, and keep what is named', () => {
    const builder = new LabelsBuilder(Labels.fromRecord({ a: '1', b: '2', c: '3' }));
    for (const [name] of builder) builder.delete(name).set(`${name}${name}`, 'x');
    expect(builder.labels().toString()).toBe('{aa="x", bb="x", cc="x"}');
    expect(builder.keep(['bb', 'zz']).labels().toString()).toBe('{bb="x"}');
  });
});

describe('LabelInterner', () => {
  test('gives one object for equal labels until cleared', () => {
    const interner = new LabelInterner();
    const first = interner.labels(Labels.fromRecord({ a: '1', b: '1' }));
    expect(interner.labels(Labels.fromRecord({ a: '1', b: '1' }))).toBe(first);
    expect(interner.size).toBe(4);
    interner.clear();
    expect(interner.size).toBe(0);
    expect(interner.labels(Labels.fromRecord({ a: '1', b: '1' }))).not.toBe(first);
  });
});
