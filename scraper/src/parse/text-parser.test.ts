import { describe, expect, test } from '@jest/globals';
import { formatFloat, goQuote } from '@flotilla/model';
import * as fc from 'fast-check';
import type { EntryKind } from './line-cursor.ts';
import { type LineFormat, lineParser } from './line-formats.ts';

interface Entry {
  readonly kind: EntryKind;
  readonly metric?: string;
  readonly pairs?: readonly string[];
  readonly value?: number;
  readonly timestampMs?: number | undefined;
  readonly text?: string;
}

function parse(line: string | Buffer, format: LineFormat = 'text'): Entry {
  const parser = lineParser(format);
  const bytes = Buffer.concat([Buffer.from(line), Buffer.from('\n')]);
  const kind = parser.parse(bytes, 0, bytes.length - 1);
  const { metric, pairs, value, hasTimestamp, timestampMs, text } = parser;
  if (kind === 'series') {
    return { kind, metric, pairs: [...pairs], value, timestampMs: hasTimestamp ? timestampMs : undefined };
  }
  return kind === 'type' || kind === 'help' || kind === 'unit' ? { kind, metric, text } : { kind };
}

describe('a sample line', () => {
  function check(line: string, metric: string, pairs: string[], value: number, timestampMs?: number): void {
    expect(parse(line)).toEqual({ kind: 'series', metric, pairs, value, timestampMs });
  }

  test('has a name, labels, a value and maybe a timestamp', () => {
    check('a 1', 'a', [], 1);
    check('a{} 1', 'a', [], 1);
    check('go_gc:x_1{quantile="0.5"} 4.9351e-05', 'go_gc:x_1', ['quantile', '0.5'], 4.9351e-5);
    check('a{b="c",d="e"} -7 123', 'a', ['b', 'c', 'd', 'e'], -7, 123);
    check('a{b="c",} 1', 'a', ['b', 'c'], 1);
    check('a{b="",c=""} 1', 'a', ['b', '', 'c', ''], 1);
  });

  test('may have blanks nearly everywhere', () => {
    check('a\t 1 ', 'a', [], 1);
    check('  a 1', 'a', [], 1);
    check('a { b = "c" , d="e" }\t1\t 5 ', 'a', ['b', 'c', 'd', 'e'], 1, 5);
    check('a{b="c"d="e"}1', 'a', ['b', 'c', 'd', 'e'], 1);
  });

  test('may have special values', () => {
    check('a +Inf', 'a', [], Infinity);
    check('a -inf', 'a', [], -Infinity);
    check('a NaN', 'a', [], NaN);
    check('a nan', 'a', [], NaN);
    check('a 1e300', 'a', [], 1e300);
    check('a -0', 'a', [], -0);
    check('a .5', 'a', [], 0.5);
  });

  test('has escapes in label values, and keeps those that mean nothing', () => {
    check(String.raw`a{b="\"x\\y\nz"} 1`, 'a', ['b', '"x\\y\nz'], 1);
    check(String.raw`a{b="\d\t"} 1`, 'a', ['b', String.raw`\d\t`], 1);
    check(String.raw`a{b="\\n"} 1`, 'a', ['b', String.raw`\n`], 1);
    check('a{b="}{,= #"} 1', 'a', ['b', '}{,= #'], 1);
    check('a{b="Ł€😀"} 1', 'a', ['b', 'Ł€😀'], 1);
    check('a{b="x\0y"} 1', 'a', ['b', 'x\0y'], 1);
  });

  test('may have a quoted name', () => {
    check('{"my.metric"} 1', 'my.metric', [], 1);
    check('{"my.metric", x="y"} 1 2', 'my.metric', ['x', 'y'], 1, 2);
    check('{x="y","my.metric"} 1', 'my.metric', ['x', 'y'], 1);
    check('{"m","lab.el\\n"="v"} 1', 'm', ['lab.el\n', 'v'], 1);
    check('m{"lab.el"="v"} 1', 'm', ['lab.el', 'v'], 1);
  });
});

describe('a comment line', () => {
  test('may be metadata', () => {
    expect(parse('# TYPE a counter')).toEqual({ kind: 'type', metric: 'a', text: 'counter' });
    expect(parse('#  TYPE  a untyped')).toEqual({ kind: 'type', metric: 'a', text: 'unknown' });
    expect(parse('# TYPE "a.b" gauge')).toEqual({ kind: 'type', metric: 'a.b', text: 'gauge' });
    expect(parse(String.raw`# HELP a x\ny\\z "q"`)).toEqual({
      kind: 'help',
      metric: 'a',
      text: 'x\ny\\z "q"',
    });
    expect(parse('# HELP a')).toEqual({ kind: 'help', metric: 'a', text: '' });
    expect(parse('# UNIT a_seconds seconds', 'openmetrics')).toEqual({
      kind: 'unit',
      metric: 'a_seconds',
      text: 'seconds',
    });
  });

  test('is free text otherwise', () => {
    for (const line of ['#', '# hello', '#HELP a b', '# TYPEa b', '#\tEOF', '# EOF', '# UNIT a b']) {
      expect(parse(line)).toEqual({ kind: 'comment' });
    }
    expect(parse('# EOF', 'openmetrics')).toEqual({ kind: 'eof' });
    expect(parse('')).toEqual({ kind: 'blank' });
    expect(parse(' \t')).toEqual({ kind: 'blank' });
  });
});

describe('errors', () => {
  function check(line: string | Buffer, want: string, format?: LineFormat): void {
    expect(() => parse(line, format)).toThrow(new Error(want));
  }

  test("are Prometheus's", () => {
    check('a', String.raw`expected value after metric, got "\n" ("INVALID") while parsing: "a\n"`);
    check("a{b='c'} 1", `expected label value, got "'" ("INVALID") while parsing: "a{b='"`);
    check('a{b=', String.raw`expected label value, got "\n" ("INVALID") while parsing: "a{b=\n"`);
    check(
      Buffer.from('a{\xff="foo"} 1', 'latin1'),
      String.raw`expected label name, got "\xff" ("INVALID") while parsing: "a{\xff"`,
    );
    check(Buffer.from('a{b="\xff"} 1', 'latin1'), String.raw`invalid UTF-8 label value: "\"\xff\""`);
    check(
      '{"a", "b = "c"}',
      String.raw`expected equal, got "c\"" ("LNAME") while parsing: "{\"a\", \"b = \"c\""`,
    );
    check('a true', 'strconv.ParseFloat: parsing "true": invalid syntax while parsing: "a true"');
    check('a 1\r', String.raw`strconv.ParseFloat: parsing "1\r": invalid syntax while parsing: "a 1\r"`);
    check('a 1e999', 'strconv.ParseFloat: parsing "1e999": value out of range while parsing: "a 1e999"');
    check(
      'something_weird{problem="',
      String.raw`expected label value, got "\"\n" ("INVALID") while parsing: "something_weird{problem=\"\n"`,
    );
    check(
      'empty_label_name{=""} 0',
      String.raw`expected label name, got "=\"" ("EQUAL") while parsing: "empty_label_name{=\""`,
    );
    check('foo 1_2', 'unsupported character in float while parsing: "foo 1_2"');
    check('foo 0x1p-3', 'unsupported character in float while parsing: "foo 0x1p-3"');
    check('foo 0 1_2', 'expected next entry after timestamp, got "_" ("INVALID") while parsing: "foo 0 1_"');
    check('foo 1 -5', 'expected timestamp or new record, got "-" ("INVALID") while parsing: "foo 1 -"');
    check('{a="ok"} 1', String.raw`metric name not set while parsing: "{a=\"ok\"}"`);
    check('{"a","b"} 1', String.raw`metric name already set while parsing: "{\"a\",\"b\"}"`);
    check('9 1', 'expected a valid start token, got "9" ("INVALID") while parsing: "9"');
    check('\0', String.raw`expected a valid start token, got "\x00" ("INVALID") while parsing: "\x00"`);
    check(
      '# HELP a\0b c',
      String.raw`expected a valid start token, got "\x00" ("INVALID") while parsing: "\x00"`,
    );
    check('# TYPE a foo', 'invalid metric type "foo"');
    check('# TYPE a', 'invalid metric type ""');
    check('# TYPE a gauge ', 'invalid metric type "gauge "');
    check('# TYPE 9 gauge', 'expected metric name after TYPE, got "9" ("INVALID") while parsing: "# TYPE 9"');
    check(Buffer.from('# HELP a \xff', 'latin1'), String.raw`help text "\xff" is not a valid utf8 string`);
  });

  test('repeat a short part of a long line', () => {
    expect(() => parse(`a{b="${'x'.repeat(100_000)}`)).toThrow(/^expected label value, got .{0,900}$/);
  });
});

const labelName = fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,8}$/);
const anyText = fc
  .string({ unit: 'binary', maxLength: 12 })
  .filter((text) => Buffer.from(text).toString() === text);

test('whatever is rendered is parsed back', () => {
  const escape = (text: string): string =>
    text
      .replaceAll('\\', '\\\\')
      .replaceAll('"', String.raw`\"`)
      .replaceAll('\n', String.raw`\n`);
  fc.assert(
    fc.property(
      fc.oneof(
        labelName,
        anyText.filter((text) => text !== ''),
      ),
      fc.array(fc.tuple(labelName, anyText), { maxLength: 5 }),
      fc.double(),
      fc.option(fc.nat(), { nil: undefined }),
      (metric, labels, value, timestampMs) => {
        const rendered = [
          `"${escape(metric)}"`,
          ...labels.map(([name, text]) => `${name}="${escape(text)}"`),
        ];
        const suffix = timestampMs === undefined ? '' : ` ${timestampMs}`;
        const line = `{${rendered.join(',')}} ${formatFloat(value)}${suffix}`;
        const pairs = labels.flat();
        expect(parse(line)).toEqual({ kind: 'series', metric, pairs, value, timestampMs });
      },
    ),
    { numRuns: 500 },
  );
});

test('any bytes are parsed or refused, and never looked beyond', () => {
  const pieces = fc.constantFrom('a', '{', '}', '"', '\\', ',', '=', ' ', '1', '#', 'TYPE', '\t', 'é', '\0');
  fc.assert(
    fc.property(
      fc.array(pieces, { maxLength: 30 }),
      fc.constantFrom('text' as const, 'openmetrics'),
      (parts, format) => {
        const line = Buffer.from(parts.join(''));
        const parser = lineParser(format);
        const framed = Buffer.concat([Buffer.from('"} 1\n'), line, Buffer.from('\n"} 1 {')]);
        const outcome = (bytes: Buffer, start: number): string => {
          try {
            return `${parser.parse(bytes, start, start + line.length)} ${parser.metric} ${parser.pairs.map(goQuote).join()}`;
          } catch (err) {
            return (err as Error).message;
          }
        };
        // An error may show the first byte of the next line.
        expect(outcome(framed, 5)).toBe(outcome(Buffer.concat([line, Buffer.from('\n"')]), 0));
      },
    ),
    { numRuns: 2000 },
  );
});
