import { describe, expect, test } from '@jest/globals';
import { Labels, parseRelabelRule, type RelabelConfig } from '@flotilla/model';
import { seriesLabels } from './sample-labels.ts';

const target = { instance: 'h:1', job: 'j' };
const noLimits = { labels: 0, labelNameLength: 0, labelValueLength: 0 };

interface Case {
  readonly honorLabels?: boolean;
  readonly target?: Record<string, string>;
  readonly relabelings?: RelabelConfig[];
  readonly limits?: Partial<typeof noLimits>;
  readonly hasLegacyNames?: boolean;
}

function labelsOf(pairs: string[], options: Case = {}): string | undefined {
  return seriesLabels('m', pairs, {
    target: Labels.fromRecord(options.target ?? target),
    honorLabels: options.honorLabels ?? false,
    relabelings: (options.relabelings ?? []).map((config) => parseRelabelRule(config)),
    limits: { ...noLimits, ...options.limits },
    hasLegacyNames: options.hasLegacyNames ?? false,
  })?.toMetric();
}

describe('honor_labels', () => {
  function check(
    pairs: string[],
    honorLabels: boolean,
    want: string,
    of: Record<string, string> = target,
  ): void {
    expect(labelsOf(pairs, { honorLabels, target: of })).toBe(want);
  }

  test('false: the target wins, what is exposed moves away', () => {
    check([], false, 'm{instance="h:1", job="j"}');
    check(['a', '1', 'z', '2'], false, 'm{a="1", instance="h:1", job="j", z="2"}');
    check(['job', 'x'], false, 'm{exported_job="x", instance="h:1", job="j"}');
    check(['job', ''], false, 'm{instance="h:1", job="j"}');
    check(
      ['job', 'x', 'exported_job', 'y'],
      false,
      'm{exported_exported_job="x", exported_job="y", instance="h:1", job="j"}',
    );
    check(['job', 'x', 'exported_job', ''], false, 'm{exported_job="x", instance="h:1", job="j"}');
    check(
      ['foo', '1', 'exported_foo', '2'],
      false,
      'm{exported_exported_exported_foo="2", exported_exported_foo="1", exported_foo="t2", foo="t1"}',
      { foo: 't1', exported_foo: 't2' },
    );
  });

  test('true: what is exposed wins, an empty label removes', () => {
    check([], true, 'm{instance="h:1", job="j"}');
    check(['job', 'x'], true, 'm{instance="h:1", job="x"}');
    check(['job', ''], true, 'm{instance="h:1"}');
    check(['a', ''], true, 'm{instance="h:1", job="j"}');
  });
});

test('metric relabeling sees the merged labels', () => {
  const drop = { sourceLabels: ['__name__', 'job'], regex: 'm;j', action: 'drop' };
  expect(labelsOf([], { relabelings: [drop] })).toBeUndefined();
  const rename = { sourceLabels: ['a'], targetLabel: '__name__', regex: '(.+)', replacement: 'n_$1' };
  expect(labelsOf(['a', 'x'], { relabelings: [rename] })).toBe('n_x{a="x", instance="h:1", job="j"}');
  const labelDrop = { regex: '.*', action: 'labeldrop' };
  expect(labelsOf([], { relabelings: [labelDrop] })).toBeUndefined();
});

describe('errors', () => {
  const check = (pairs: string[], want: string, options?: Case): void =>
    expect(() => labelsOf(pairs, options)).toThrow(new Error(want));

  test('name what is wrong', () => {
    check(['b', '1', 'b', '2'], 'label name "b" is not unique: invalid sample');
    check(['__name__', '1'], 'label name "__name__" is not unique: invalid sample');
    check([], 'missing metric name (__name__ label)', {
      relabelings: [{ regex: '__name__', action: 'labeldrop' }],
    });
    check(['', 'x'], 'invalid metric name or label names: {""="x", __name__="m", instance="h:1", job="j"}');
  });

  test('are limits, in bytes', () => {
    check(['a', '1'], 'label_limit exceeded (metric: m, number of labels: 4, limit: 3)', {
      limits: { labels: 3 },
    });
    expect(labelsOf([], { limits: { labels: 3 } })).toBeDefined();
    check(
      ['long_name_', '1'],
      'label_name_length_limit exceeded (metric: m, label name: long_name_, length: 10, limit: 9)',
      { limits: { labelNameLength: 9 } },
    );
    check(
      ['a', 'éé'],
      'label_value_length_limit exceeded (metric: m, label name: a, value: "éé", length: 4, limit: 3)',
      { limits: { labelValueLength: 3 } },
    );
  });
});

test('legacy names only, if the job says so', () => {
  expect(labelsOf(['a.b', 'x'])).toContain('"a.b"="x"');
  expect(() => labelsOf(['a.b', 'x'], { hasLegacyNames: true })).toThrow(
    'invalid metric name or label names: {',
  );
});
