import { describe, expect, test } from '@jest/globals';
import { histogramExpression } from '@flotilla/model';
import { floatHistogramOf } from '@flotilla/tsdb';
import { transcribeClassic } from './classic-transcript.ts';
import type { LineFormat } from './line-formats.ts';

function linesOf(body: string, format: LineFormat = 'text', keepClassic = false): string[] {
  const { body: lines, histograms, error } = transcribeClassic(Buffer.from(body), format, keepClassic);
  if (error !== undefined) throw error;
  return lines
    .toString()
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) =>
      line.replace(
        / h(\d+)/,
        (_, i: string) => ` ${histogramExpression(floatHistogramOf(histograms[Number(i)]!))}`,
      ),
    );
}

const classic = (labels: string, le = ','): string =>
  `h_bucket{${labels}${le}le="1"} 1
h_bucket{${labels}${le}le="2.5"} 1
h_bucket{${labels}${le}le="+Inf"} 3
h_sum{${labels}} 7
h_count{${labels}} 3
`;
const converted = '{{schema:-53 count:3 sum:7 custom_values:[1 2.5] buckets:[1 0 2]}}';

describe('classic histograms become native ones', () => {
  function check(body: string, ...want: string[]): void {
    expect(linesOf(body)).toEqual(want);
  }

  test('by family and labels', () => {
    const body = `a 1\n# TYPE h histogram\n${classic('x="1"')}${classic('x="2"')}# TYPE b gauge\nb 2 1500\n`;
    check(body, 'a 1', `{"h","x"="1"} ${converted}`, `{"h","x"="2"} ${converted}`, 'b 2 1500');
    check(`# TYPE h histogram\n${classic('', '')}`, `{"h"} ${converted}`);
    expect(linesOf(`# TYPE h histogram\n${classic('x="1"')}`, 'text', true)).toHaveLength(6);
    expect(linesOf(`# TYPE h histogram\n${classic('x="1"')}# EOF\n`, 'openmetrics')).toEqual([
      `{"h","x"="1"} ${converted}`,
    ]);
  });

  test('in one spelling: labels in order, without empty ones', () => {
    const odd = 'h_bucket{z="1",none="",le="1",a="2"} 1\n';
    const series = '{"h","a"="2","z"="1"}';
    check(`# TYPE h histogram\n${odd}`, `${series} {{schema:-53 count:1 custom_values:[1] buckets:[1]}}`);
    check(
      `# TYPE h histogram\n${classic('a="b",b="c",c="le"')}`,
      `{"h","a"="b","b"="c","c"="le"} ${converted}`,
    );
  });

  test('only with their type', () => {
    expect(linesOf(classic('x="1"'))).toHaveLength(5);
    expect(linesOf(`# TYPE h summary\n${classic('x="1"')}`)).toHaveLength(5);
    expect(linesOf(`# TYPE other histogram\n${classic('x="1"')}`)).toHaveLength(5);
    check('# TYPE h histogram\nh_bucket{le="x"} 1\nh_created 5\n', 'h_bucket{le="x"} 1', 'h_created 5');
  });

  test('whatever is missing of them', () => {
    const type = '# TYPE h histogram\n';
    check(`${type}h_count 3\n`, '{"h"} {{schema:-53 count:3 custom_values:[] buckets:[3]}}');
    check(`${type}h_sum 3\n`, '{"h"} {{schema:-53 sum:3 custom_values:[]}}');
    check(
      `${type}h_bucket{le="1"} 2 1500\n`,
      '{"h"} {{schema:-53 count:2 custom_values:[1] buckets:[2]}} 1500',
    );
    check(
      `${type}h_bucket{le="2"} 4.5\nh_bucket{le="1"} 2\n`,
      '{"h"} {{schema:-53 count:4.5 custom_values:[1 2] buckets:[2 2.5]}}',
    );
  });

  test('but not if they contradict themselves', () => {
    const type = '# TYPE h histogram\n';
    check(`${type}h_bucket{le="1"} 2\nh_bucket{le="2"} 1\na 1\n`, 'a 1');
    check(`${type}h_bucket{le="1"} 2\nh_count 1\n`);
    check(`${type}h_bucket{le="+Inf"} 2\nh_count 1\n`);
    check(`${type}h_bucket{le="1"} -2\n`);
  });
});

test('errors are those of the format', () => {
  const check = (body: string, format: LineFormat, want: string): void =>
    expect(() => linesOf(body, format)).toThrow(want);
  check('a b\n', 'text', 'strconv.ParseFloat: parsing "b": invalid syntax');
  check('a 1\n', 'openmetrics', 'data does not end with # EOF');
  check('# EOF\na 1\n', 'openmetrics', 'unexpected data after # EOF');
});
