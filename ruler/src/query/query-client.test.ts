import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FloatHistogram, Unavailable } from '@flotilla/model';
import { exactHistogram } from '@flotilla/wire';
import { QueryClient } from './query-client.ts';

const histogram = new FloatHistogram({ schema: 3, count: 1, sum: 2, zeroCount: 1 });

let server: Server;
let client: QueryClient;
let data: object;

beforeAll(async () => {
  server = createServer((_request, response) => {
    response.end(JSON.stringify({ status: 'success', data }));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  client = new QueryClient([`http://127.0.0.1:${(server.address() as AddressInfo).port}`], () => ({}));
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

test('a vector is samples, a scalar one without labels, a histogram one of value 0 and exact', async () => {
  const check = async (result: object, want: object[]): Promise<void> => {
    data = result;
    expect((await client.instant('x', 0, 5000)).samples).toEqual(want);
  };
  await check({ resultType: 'scalar', result: [0, '+Inf'] }, [{ labels: {}, value: Infinity }]);
  await check(
    {
      resultType: 'vector',
      result: [
        { metric: { a: 'b' }, value: [0, '1.5'] },
        { metric: { h: 'i' }, exactHistogram: [0, exactHistogram(histogram)] },
      ],
    },
    [
      { labels: { a: 'b' }, value: 1.5 },
      { labels: { h: 'i' }, value: 0, histogram },
    ],
  );
});

test('a histogram without its spans is no answer', async () => {
  data = { resultType: 'vector', result: [{ metric: {}, histogram: [0, { count: '1', sum: '2' }] }] };
  await expect(client.instant('x', 0, 5000)).rejects.toThrow(Unavailable);
});
