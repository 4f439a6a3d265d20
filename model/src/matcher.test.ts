import { describe, expect, test } from '@jest/globals';
import { Matcher, type MatchType } from './matcher.ts';

describe('Matcher', () => {
  function check(type: MatchType, value: string, wants: [string, boolean][]): void {
    const matcher = new Matcher(type, 'l', value);
    for (const [labelValue, want] of wants)
      expect([labelValue, matcher.matches(labelValue)]).toEqual([labelValue, want]);
    expect(matcher.matchesEmpty).toBe(matcher.matches(''));
  }

  test('matches by type', () => {
    check('=', 'a', [
      ['a', true],
      ['b', false],
      ['', false],
    ]);
    check('!=', 'a', [
      ['a', false],
      ['b', true],
      ['', true],
    ]);
    check('=~', 'a|b.*', [
      ['a', true],
      ['bcd', true],
      ['ab', false],
      ['', false],
    ]);
    check('!~', 'a|b.*', [
      ['a', false],
      ['bcd', false],
      ['ab', true],
      ['', true],
    ]);
    check('=~', '.*', [
      ['', true],
      ['a\nb', true],
    ]);
    check('=~', '.+', [
      ['', false],
      ['\n', true],
    ]);
    check('=', '', [
      ['', true],
      ['a', false],
    ]);
  });

  test('prints as PromQL', () => {
    expect(new Matcher('=~', 'job', 'a\\.b|"c"').toString()).toBe('job=~"a\\\\.b|\\"c\\""');
    expect(new Matcher('!=', 'my.label', 'x').toString()).toBe('"my.label"!="x"');
  });

  test('tells the index what it may look up', () => {
    expect(new Matcher('=~', 'job', 'a|b').setMatches).toEqual(['a', 'b']);
    expect(new Matcher('=~', 'job', 'ab.+').prefix).toBe('ab');
    expect(new Matcher('=', 'job', 'a').setMatches).toEqual([]);
  });

  test('refuses a bad regexp, but takes it as plain text', () => {
    expect(() => new Matcher('!~', 'job', '(')).toThrow('error parsing regexp: missing closing ): `(`');
    expect(new Matcher('=', 'job', '(').matches('(')).toBe(true);
  });
});
