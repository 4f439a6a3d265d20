import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { RE2JS } from 're2js';
import { parseShape } from './pattern-shape.ts';
import { AnchoredRegexp, PatternError } from './regexp.ts';

describe('a shape', () => {
  function check(pattern: string, wantExact: string[] | undefined, wantGlobs = 0): void {
    const shape = parseShape(pattern);
    expect(shape?.exact).toEqual(wantExact);
    expect(shape?.globs.length ?? 0).toBe(wantGlobs);
  }

  test('holds literals, alternations and their products', () => {
    check('', ['']);
    check('prod-api', ['prod-api']);
    check('^prod$', ['prod']);
    check('api|web|db|api', ['api', 'web', 'db']);
    check('(api|web)-(?:0|1)', ['api-0', 'api-1', 'web-0', 'web-1']);
    check('10\\.0\\.0\\.1:9100', ['10.0.0.1:9100']);
    check('a|', ['a', '']);
    check('https?', ['https', 'http']);
    check('(é😀)?', ['é😀', '']);
  });

  test('holds globs', () => {
    check('.*', [], 1);
    check('(.+)', [], 1);
    check('prod-.+', [], 1);
    check('.*gateway.*', [], 1);
    check('a|b.*|.*c', ['a'], 2);
    check('(?:a|b).*(c|d)', [], 4);
  });

  test('leaves the rest to the engine', () => {
    for (const pattern of [
      '[ab]',
      'a*',
      'a+',
      'a{2}',
      '(?i)a',
      '\\d',
      'a.b',
      '(a',
      'a)',
      '*',
      'a**',
      '.+.+',
      'a$b',
    ]) {
      check(pattern, undefined);
    }
    check('.*a?.*', undefined);
    check(`${'('.repeat(12)}a${')'.repeat(12)}`, undefined);
    check('(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)', undefined);
  });
});

describe('AnchoredRegexp', () => {
  test('agrees with plain RE2 on any pattern and value', () => {
    const token = fc.constantFrom(
      ...'a,b,ab,.*,.+,.*?,.,|,(,),(?:,?,^,$,\\.,-,é,😀,*,+,[ab],(?i),\\d'.split(','),
    );
    const pattern = fc.array(token, { maxLength: 8 }).map((tokens) => tokens.join(''));
    const value = fc.string({
      unit: fc.constantFrom('a', 'b', 'A', '.', '-', '\n', 'é', '😀', '1'),
      maxLength: 6,
    });
    fc.assert(
      fc.property(pattern, fc.array(value, { maxLength: 10 }), (text, values) => {
        const regexp = tryCompile(text);
        const plain = tryCompilePlain(text);
        if (regexp === undefined) return;
        for (const v of values) {
          const want = plain!.test(v);
          expect([text, v, regexp.test(v), regexp.test(v)]).toEqual([text, v, want, want]);
          expect(regexp.capture(v)).toEqual(plainCapture(plain!, v));
          expect(!want || v.startsWith(regexp.prefix)).toBe(true);
          expect(regexp.setMatches.length === 0 || regexp.setMatches.includes(v) === want).toBe(true);
        }
      }),
      { numRuns: 500, seed: 7 },
    );
  });

  function tryCompile(text: string): AnchoredRegexp | undefined {
    try {
      return new AnchoredRegexp(text);
    } catch (error) {
      if (!(error instanceof PatternError)) throw error;
      return undefined;
    }
  }

  function tryCompilePlain(text: string): RE2JS | undefined {
    try {
      return RE2JS.compile(`^(?s:${text})$`);
    } catch {
      return undefined;
    }
  }

  function plainCapture(plain: RE2JS, value: string): (string | undefined)[] | undefined {
    return plain.exec(value)?.map((group: string | undefined) => group);
  }

  test('knows the prefix and the literals', () => {
    function check(pattern: string, wantPrefix: string, wantSet: string[]): void {
      const regexp = new AnchoredRegexp(pattern);
      expect([regexp.prefix, regexp.setMatches]).toEqual([wantPrefix, wantSet]);
    }
    check('api|app', 'ap', ['api', 'app']);
    check('prod-.+', 'prod-', []);
    check('prod-[a-z]+', 'prod-', []);
    check('(?i)prod', '', []);
    check('a|b', '', ['a', 'b']);
    check('ab*', 'a', []);
    check('😀|😁', '', ['😀', '😁']);
  });

  test('refuses with the words of Go', () => {
    function check(pattern: string, want: string): void {
      expect(() => new AnchoredRegexp(pattern)).toThrow(
        expect.objectContaining({ name: 'PatternError', message: want, pattern }),
      );
    }
    check('(', 'error parsing regexp: missing closing ): `(`');
    check('a)', 'error parsing regexp: unexpected ): `a)`');
    check('*', 'error parsing regexp: missing argument to repetition operator: `*`');
    check('[z-a]', 'error parsing regexp: invalid character class range: `z-a`');
    check('a{1001}', 'error parsing regexp: invalid repeat count: `{1001}`');
    check('(?=a)', 'error parsing regexp: invalid or unsupported Perl syntax: `(?=`');
    check('\\', 'error parsing regexp: trailing backslash at end of expression: ``');
  });

  test('refuses what would take too much', () => {
    for (const pattern of ['a'.repeat(65_537), '[ab]{1000}'.repeat(200), `(${'[ab]'.repeat(400)}){1000}`]) {
      expect(() => new AnchoredRegexp(pattern)).toThrow('error parsing regexp: expression too large');
    }
  });

  test('takes thousands of literals and nested repeats in linear time', () => {
    const names = Array.from({ length: 5000 }, (_, i) => `pod-${i}`);
    expect(new AnchoredRegexp(names.join('|')).setMatches).toEqual(names);
    expect(new AnchoredRegexp('(a+)+b').test('a'.repeat(5000))).toBe(false);
  });

  test('answers alike once its cache is full', () => {
    const regexp = new AnchoredRegexp('[0-9]*[02468]');
    const numbers = Array.from({ length: 10_000 }, (_, i) => i);
    expect(numbers.filter((i) => regexp.test(String(i)))).toEqual(numbers.filter((i) => i % 2 === 0));
    expect(regexp.capture('10')).toEqual(['10']);
    expect(regexp.capture('11')).toBeUndefined();
  });
});

describe('expand', () => {
  function check(pattern: string, value: string, template: string, want: string): void {
    const regexp = new AnchoredRegexp(pattern);
    expect(regexp.expand(template, regexp.capture(value)!)).toBe(want);
  }

  test('follows Go', () => {
    check('(.*)', 'up', '$1', 'up');
    check('(.*)', 'up', '$1x', '');
    check('(.*)', 'up', '${1}x', 'upx');
    check('(.*)', 'up', '$$1', '$1');
    check('(.*)', 'up', '$0-$2-$01', 'up--');
    check('(.*)', 'up', 'a$', 'a$');
    check('(.*)', 'up', '${1', '${1');
    check('(.*)', 'up', '${}', '${}');
    check('(?P<first>[a-z]+)-(?<second>.*)', 'a-b', '${second}.$first', 'b.a');
    check('(a)|(b)', 'b', '<$1|$2>', '<|b>');
    check('a', 'a', '$constructor$toString', '');
    check('pod_(.+)_x', 'pod_é_x', '<$1|$0>', '<é|pod_é_x>');
    check('(a|b)-(.*)', 'b-c', '$2-$1', 'c-b');
  });
});
