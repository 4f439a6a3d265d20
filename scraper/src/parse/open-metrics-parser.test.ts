import { describe, expect, test } from '@jest/globals';
import { OpenMetricsParser } from './open-metrics-parser.ts';

interface Entry {
  readonly kind: string;
  readonly metric: string;
  readonly pairs?: readonly string[];
  readonly value?: number;
  readonly timestampMs?: number | undefined;
  readonly text?: string;
}

function parse(line: string | Buffer): Entry {
  const parser = new OpenMetricsParser();
  const bytes = Buffer.concat([Buffer.from(line), Buffer.from('\n')]);
  const kind = parser.parse(bytes, 0, bytes.length - 1);
  const { metric, pairs, value, hasTimestamp, timestampMs, text } = parser;
  if (kind !== 'series') return { kind, metric, text };
  return { kind, metric, pairs: [...pairs], value, timestampMs: hasTimestamp ? timestampMs : undefined };
}

test('samples: timestamps are seconds, exemplars are checked and dropped', () => {
  const check = (line: string, metric: string, pairs: string[], value: number, timestampMs?: number): void =>
    expect(parse(line)).toEqual({ kind: 'series', metric, pairs, value, timestampMs });
  check('a 1', 'a', [], 1);
  check('a{} -2.5e3 1520879607.789', 'a', [], -2500, 1520879607789);
  check('a{le="1",} 2 1.0015', 'a', ['le', '1'], 2, 1001);
  check('a{le="1"} 2 # {id="x"} 0.7 1.6', 'a', ['le', '1'], 2);
  check('a{le="1"} 2 1.5 # {} 0.7', 'a', ['le', '1'], 2, 1500);
  check(String.raw`a{b="\"x\\y\nz"} 1`, 'a', ['b', '"x\\y\nz'], 1);
  check('{"my.metric","x.y"="z"} NaN', 'my.metric', ['x.y', 'z'], NaN);
  check('a +Inf -1', 'a', [], Infinity, -1000);
});

test('comments', () => {
  const check = (line: string, kind: string, metric: string, text: string): void =>
    expect(parse(line)).toEqual({ kind, metric, text });
  check('# TYPE a stateset', 'type', 'a', 'stateset');
  check(String.raw`# HELP a b\"\\\nc `, 'help', 'a', 'b"\\\nc ');
  check('# UNIT a_bytes bytes', 'unit', 'a_bytes', 'bytes');
  check('# UNIT a ', 'unit', 'a', '');
  check('# TYPE "a.b" info', 'type', 'a.b', 'info');
  check('# EOF', 'eof', '', '');
});

describe('errors', () => {
  test("are Prometheus's", () => {
    const check = (line: string, want: string): void => expect(() => parse(line)).toThrow(new Error(want));
    check('a', String.raw`expected value after metric, got "\n" ("INVALID") while parsing: "a\n"`);
    check('a  1', 'expected value after metric, got "  " ("INVALID") while parsing: "a  "');
    check(' a 1', 'expected a valid start token, got " " ("INVALID") while parsing: " "');
    check('a{b = "c"} 1', 'expected equal, got " " ("INVALID") while parsing: "a{b "');
    check(
      'a{b="c"d="e"} 1',
      'expected comma or brace close, got "d=" ("LNAME") while parsing: "a{b=\\"c\\"d="',
    );
    check('# foo', 'expected a valid start token, got "# f" ("INVALID") while parsing: "# f"');
    check('# TYPE a', 'expected text in TYPE');
    check('# TYPE a untyped', 'invalid metric type "untyped"');
    check('# UNIT a_bytes seconds', 'unit "seconds" not a suffix of metric "a_bytes"');
    check('# EOF ', 'unexpected data after # EOF');
    check('a 1 NaN', 'invalid timestamp NaN');
    check(
      'a 1 2 3',
      'expected next entry after timestamp, got " 3\\n" ("TIMESTAMP") while parsing: "a 1 2 3\\n"',
    );
    check('a 1 # {b="c"} 1 Inf', 'invalid exemplar timestamp +Inf');
    check('a 1 # {"b"} 1', 'expected label name, got "} " ("BCLOSE") while parsing: "a 1 # {\\"b\\"} "');
    check(
      'a 1 # {b="c"}',
      String.raw`expected value after exemplar labels, got "\n" ("INVALID") while parsing: "a 1 # {b=\"c\"}\n"`,
    );
    check('{b="c"} 1', String.raw`metric name not set while parsing: "{b=\"c\"}"`);
    check('a 1_0', 'unsupported character in float while parsing: "a 1_0"');
  });
});
