import { describe, expect, test } from '@jest/globals';
import { mayMatch } from './select-objects.ts';

describe('mayMatch', () => {
  function check(matchLabels: Record<string, string>, labels: Record<string, string>, want: boolean): void {
    expect(mayMatch({ matchLabels, matchExpressions: [] }, labels)).toBe(want);
  }

  test('is false only where relabeling surely drops', () => {
    check({}, {}, true);
    check({ app: 'web' }, { app: 'web' }, true);
    check({ app: 'web' }, { app: 'db' }, false);
    check({ app: 'web' }, {}, false);
    check({ version: 'v1.2' }, { version: 'v1x2' }, true);
    check({ 'app.kubernetes.io/name': 'web' }, { 'app-kubernetes-io/name': 'web' }, true);
    check({ 'app.kubernetes.io/name': 'web' }, { 'app.kubernetes.io/name': 'db' }, false);
  });

  test('knows the operators', () => {
    const one = (
      operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist',
      values: string[],
      want: boolean,
    ): void =>
      expect(
        mayMatch({ matchLabels: {}, matchExpressions: [{ key: 'a', operator, values }] }, { a: '1' }),
      ).toBe(want);
    one('In', ['1', '2'], true);
    one('In', ['2'], false);
    one('In', ['2|1'], true);
    one('Exists', [], true);
    one('NotIn', ['1'], true);
    one('DoesNotExist', [], true);
    check({ b: '' }, { a: '1' }, false);
  });
});
