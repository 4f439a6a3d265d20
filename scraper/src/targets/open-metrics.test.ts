// Bodies of OpenMetrics from a target to its store: what holds of a body as a whole.

import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { testJob, TestServer, TestShard, testTarget } from '../testing.ts';

let shard: TestShard;
let server: TestServer;
let body: string;

beforeEach(async () => {
  shard = await TestShard.start();
  server = await TestServer.start((_req, res) => {
    res.setHeader('content-type', 'application/openmetrics-text; version=1.0.0; charset=utf-8');
    res.end(body);
  });
  await shard.apply([testJob()], [testTarget(server.url)]);
});

afterEach(async () => {
  await shard.stop();
  await server.stop();
});

async function scrape(text: string): Promise<string | undefined> {
  body = text;
  return (await shard.tick()).get(1)?.error;
}

const page = (n: number): string => `# TYPE c counter
# UNIT c_seconds seconds
# HELP c Counts.
c_total{a="1"} ${n} # {trace="${n}"} 0.5 1.5
c_total{a="2"} ${n}
c_created{a="1"} 1500.5
# TYPE h histogram
h_bucket{le="1"} ${n}
h_bucket{le="+Inf"} ${n} # {} 3
h_count ${n}
h_sum 2.5
# TYPE i info
i_info{v="1"} 1
# EOF
`;

test('series are the same from scrape to scrape, with exemplars and without', async () => {
  expect(await scrape(page(1))).toBe('');
  expect(await scrape(page(2))).toBe('');
  expect(await scrape(page(3).replaceAll(/ #.*$/gm, (text) => (text === ' # EOF' ? text : '')))).toBe('');
  const series = await shard.series('c_.*|h_.*|i_info');
  const values = Object.fromEntries(
    Object.entries(series).map(([labels, samples]) => [
      labels
        .replace('instance="target-1", job="job"', '')
        .replace(', ', '')
        .replaceAll(/[{}]/g, ' ')
        .replaceAll('  ', ' ')
        .trim(),
      samples.map(([, value]) => value),
    ]),
  );
  expect(values).toEqual({
    'c_total a="1"': [1, 2, 3],
    'c_total a="2"': [1, 2, 3],
    'c_created a="1"': [1500.5, 1500.5, 1500.5],
    'h_bucket le="1.0"': [1, 2, 3],
    'h_bucket le="+Inf"': [1, 2, 3],
    h_count: [1, 2, 3],
    h_sum: [2.5, 2.5, 2.5],
    'i_info v="1"': [1, 1, 1],
  });
  expect(Object.values(await shard.series('scrape_series_added'))[0]?.map(([, value]) => value)).toEqual([
    8, 0, 0,
  ]);
  expect(shard.metadata.get('c', 0).metadata).toEqual({
    c: [{ type: 'counter', help: 'Counts.', unit: '' }],
  });
});

test('a body ends with # EOF, and has no empty lines', async () => {
  const check = async (text: string, want: string): Promise<void> => expect(await scrape(text)).toBe(want);
  await check('a 1\nb 2\n# EOF\n', '');
  await check('a 1\nb 2\n# EOF', '');
  await check('a 1\nb 2\n', 'data does not end with # EOF');
  await check('a 1\n# EOF\nb 2\n', 'unexpected data after # EOF');
  await check('a 1\n# EOF\n\n', 'unexpected data after # EOF');
  const empty = String.raw`expected a valid start token, got "\n" ("INVALID") while parsing: "\n"`;
  await check('a 1\n\nb 2\n# EOF\n', empty);
  await check('\na 1\n# EOF\n', empty);
  await check('# EOF\n', '');
  await check('', '');
});
