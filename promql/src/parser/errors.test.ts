import { describe, expect, test } from '@jest/globals';

import { ParseError } from './parse-error.ts';
import { parseExpr } from './parse.ts';

function errorOf(text: string, options = {}): ParseError {
  try {
    parseExpr(text, options);
  } catch (error) {
    if (error instanceof ParseError) return error;
    throw error;
  }
  throw new Error(`${text}: accepted`);
}

function check(text: string, at: string, reason: string): void {
  expect(errorOf(text).message).toBe(`${at}: parse error: ${reason}`);
}

describe('parse errors', () => {
  test('of the lexer name the character', () => {
    check('a $ b', '1:3', "unexpected character: '$'");
    check('a ! b', '1:3', "unexpected character after '!': ' '");
    check('a =~ "b"', '1:3', "unexpected character after '=': '~'");
    check('(a', '1:3', 'unclosed left parenthesis');
    check('a)', '1:3', "unexpected right parenthesis ')'");
    check('a[5m', '1:5', 'unclosed left bracket');
    check('a]', '1:2', "unexpected right bracket ']'");
    check('a[[', '1:3', "unexpected character in duration expression: '['");
    check('a[:5m]', '1:4', 'unexpected colon before duration in duration expression');
    check('a[5m:1m:1m]', '1:8', "unexpected colon ':'");
    check('a{b="c"', '1:8', 'unexpected end of input inside braces');
    check('a{{', '1:3', "unexpected left brace '{'");
    check('a{%}', '1:3', "unexpected character inside braces: '%'");
    check('a{b!c}', '1:4', "unexpected character after '!' inside braces: 'c'");
    check('3x', '1:1', 'bad number or duration syntax: "3"');
    check('1..2', '1:1', 'bad number or duration syntax: "1.."');
  });

  test('of strings name the escape', () => {
    check('"abc', '1:1', 'unterminated quoted string');
    check('`abc', '1:1', 'unterminated raw string');
    check('"a\nb"', '1:1', 'unterminated quoted string');
    check(String.raw`"\q"`, '1:1', "unknown escape sequence U+0071 'q'");
    check(String.raw`"\xzz"`, '1:1', "illegal character U+007A 'z' in escape sequence");
    check(String.raw`"\ud800"`, '1:1', 'escape sequence is an invalid Unicode code point');
    check(String.raw`"\x4`, '1:1', 'escape sequence not terminated');
  });

  test('of numbers and durations give the reason', () => {
    check('1e999', '1:1', 'error parsing number: strconv.ParseFloat: parsing "1e999": value out of range');
    check('0x', '1:1', 'error parsing number: strconv.ParseFloat: parsing "0x": invalid syntax');
    check('a[0]', '1:3', 'duration must be greater than 0');
    check('a[-5m]', '1:3', 'duration must be greater than 0');
    check('a[5m / 0]', '1:6', 'division by zero');
    check('a[5m % 0]', '1:6', 'modulo by zero');
    check('a offset 1e10', '1:10', 'duration out of range');
  });

  test('of the grammar say where, and what would do', () => {
    check('', 'unknown position', 'no expression found in input');
    check(' ', '1:1', 'no expression found in input');
    check('a +', '1:4', 'unexpected end of input');
    check('a b', '1:3', 'unexpected identifier "b"');
    check('a +\n* b', '2:1', 'unexpected <op:*>');
    check('"é" é', '1:6', "unexpected character: 'é'");
    check('sum(a b)', '1:7', 'unexpected identifier "b" in aggregation');
    check('sum by a (b)', '1:8', 'unexpected identifier "a" in grouping opts, expected "("');
    check('sum by (a b) (c)', '1:11', 'unexpected identifier "b" in grouping opts, expected "," or ")"');
    check('sum by (2) (c)', '1:9', 'unexpected number "2" in grouping opts, expected label');
    check('a{b}', '1:4', 'unexpected "}" in label matching, expected label matching operator');
    check('a{b=c}', '1:5', 'unexpected identifier "c" in label matching, expected string');
    check('a{b="c" d="e"}', '1:9', 'unexpected identifier "d" in label matching, expected "," or "}"');
    check('a{="c"}', '1:3', 'unexpected "=" in label matching, expected identifier or "}"');
    check(
      'a offset b',
      '1:10',
      'unexpected identifier "b" in offset, expected number, duration, step(), or range()',
    );
    check('a @ b', '1:5', 'unexpected identifier "b" in @, expected timestamp');
    check('a[5m 1m]', '1:6', 'unexpected duration "1m" in subquery or range, expected ":" or "]"');
    check(
      'a[]',
      '1:3',
      'unexpected "]" in subquery or range selector, expected number, duration, step(), or range()',
    );
    check('a[5m:1m 1m]', '1:9', 'unexpected duration "1m" in subquery selector, expected "]"');
    check('abs(a,)', '1:6', 'trailing commas not allowed in function call args');
    check('a * on (x) group_left', '1:22', 'unexpected end of input in grouping opts, expected "("');
  });

  test('of meaning name the types', () => {
    check('rate(a)', '1:6', 'expected type range vector in call to function "rate", got instant vector');
    check('abs(a, b)', '1:1', 'expected 1 argument(s) in call to "abs", got 2');
    check('label_join(a)', '1:1', 'expected at least 3 argument(s) in call to "label_join", got 1');
    check('round(a, 1, 2)', '1:1', 'expected at most 2 argument(s) in call to "round", got 3');
    check('nope(a)', '1:1', 'unknown function with name "nope"');
    check('constructor(a)', '1:1', 'unknown function with name "constructor"');
    check('step()', '1:1', 'function "step" is not enabled');
    check('sum()', '1:1', 'no arguments for aggregate expression provided');
    check(
      'sum(a, b)',
      '1:1',
      'wrong number of arguments for aggregate expression provided, expected 1, got 2',
    );
    check('topk("a", b)', '1:6', 'expected type scalar in aggregation parameter, got string');
    check('{}', '1:1', 'vector selector must contain at least one non-empty matcher');
    check('{a=~".*"}', '1:1', 'vector selector must contain at least one non-empty matcher');
    check('a{__name__="b"}', '1:1', 'metric name must not be set twice: "a" or "b"');
    check(
      '-"a"',
      '1:1',
      'unary expression only allowed on expressions of type scalar or instant vector, got "string"',
    );
    check('a[5m][5m:]', '1:1', 'subquery is only allowed on instant vector, got matrix instead');
    check('a[5m] + 1', '1:1', 'binary expression must contain only scalar and instant vector types');
    check('1  > 2', '1:4', 'comparisons between scalars must use BOOL modifier');
    check('a + bool b', '1:3', 'bool modifier can only be used on comparison operators');
    check('a and 1', '1:1', 'set operator "and" not allowed in binary scalar expression');
    check('a + on (x) 1', '1:1', 'vector matching only allowed between instant vectors');
    check('a or on (x) group_left b', '1:1', 'no grouping allowed for "or" operation');
    check('a + on (x) group_left (x) b', '1:3', 'label "x" must not occur in ON and GROUP clause at once');
    check(
      '5 offset 1m',
      '1:1',
      'offset modifier must be preceded by an instant vector selector or range vector selector or a subquery',
    );
    check('a offset 1m offset 2m', '1:1', 'offset may not be set multiple times');
    check('a @ 1 @ 2', '1:1', '@ <timestamp> may not be set multiple times');
    check('a @ Inf', '1:1', 'timestamp out of bounds for @ modifier: +Inf');
    check('(a)[5m]', '1:4', 'ranges only allowed for vector selectors');
    check('a offset 1m [5m]', '1:13', 'no offset modifiers allowed before range');
    check('a{b=~"("}', '1:3', 'error parsing regexp: missing closing ): `(`');
  });

  test('of what is not enabled name it', () => {
    check(
      'limitk(2, a)',
      '1:1',
      'limitk() is experimental and must be enabled with --enable-feature=promql-experimental-functions',
    );
    check('a anchored', '1:1', 'anchored modifier is experimental and not enabled');
    check('a + fill (1) b', '1:1', 'binop fill modifiers are experimental and not enabled');
    const { message } = errorOf('a[5m * 2]', { durationExpressions: false });
    expect(message).toBe('1:3: parse error: experimental duration expression is not enabled');
  });

  test('carry line, column, range and query', () => {
    const error = errorOf('sum(\n  rate(a))');
    expect(error).toMatchObject({
      line: 2,
      column: 8,
      pos: { start: 12, end: 13 },
      query: 'sum(\n  rate(a))',
    });
  });
});

describe('limits', () => {
  const message = /^\d+:\d+: parse error: query nested too deeply, want at most (?:400|1000) levels$/;

  test('stop nesting, however it is written', () => {
    const many = 20_000;
    expect(errorOf('('.repeat(many)).message).toMatch(message);
    expect(errorOf(`${'-'.repeat(many)}a`).message).toMatch(message);
    expect(errorOf(`${'abs('.repeat(many)}a${')'.repeat(many)}`).message).toMatch(message);
    expect(errorOf(`a${'[5m:]'.repeat(many)}`).message).toMatch(message);
    expect(errorOf(`a${' ^ a'.repeat(many)}`).message).toMatch(message);
    expect(errorOf(`a${' + a'.repeat(many)}`).message).toMatch(message);
    expect(errorOf(`a[1${' + 1'.repeat(many)}]`).message).toMatch(message);
    expect(errorOf(`a[${'('.repeat(many)}`).message).toMatch(message);
  });

  test('leave room for what people write', () => {
    expect(parseExpr(`a${' or a'.repeat(900)}`).kind).toBe('binary');
    expect(parseExpr(`${'('.repeat(399)}a${')'.repeat(399)}`).kind).toBe('paren');
    expect(parseExpr(`label_join(a, "b", "c"${', "d"'.repeat(100_000)})`).kind).toBe('call');
  });

  test('stop long queries', () => {
    expect(errorOf(`"${'é'.repeat(600_000)}"`).reason).toBe('query of 1200002 bytes, want at most 1048576');
  });
});
