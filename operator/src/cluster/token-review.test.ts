import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import express from 'express';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { TestApiServer, testLog } from './test-api-server.ts';
import { requireServiceAccount } from './token-review.ts';

/** A machine that does much else is slow, not wrong. */
jest.setTimeout(60_000);

const audience = 'flotilla-operator';
const user = 'system:serviceaccount:shop:scraper';
const review = 'POST /apis/authentication.k8s.io/v1/tokenreviews';

let server: TestApiServer;
let guarded: Server;
let url: string;
let nowMs: number;
beforeEach(async () => {
  server = new TestApiServer();
  nowMs = 0;
  const client = await server.open();
  server.tokens.set('good', { username: user, audiences: [audience] });
  server.tokens.set('other', { username: 'system:serviceaccount:shop:default', audiences: [audience] });
  server.tokens.set('elsewhere', { username: user, audiences: ['https://kubernetes.default.svc'] });
  const users = new Set([user]);
  const app = express();
  app.use(requireServiceAccount({ client, audience, users, log: testLog, now: () => nowMs }));
  app.get('/', (_request, response) => void response.send('in'));
  await new Promise<void>((resolve) => (guarded = app.listen(0, '127.0.0.1', () => resolve())));
  url = `http://127.0.0.1:${(guarded.address() as AddressInfo).port}/`;
});
afterEach(async () => {
  guarded.closeAllConnections();
  await new Promise((resolve) => guarded.close(resolve));
  await server.close();
});

async function ask(authorization: string): Promise<number> {
  const response = await fetch(url, { headers: authorization === '' ? {} : { authorization } });
  await response.text();
  return response.status;
}

async function check(authorization: string, want: number, reviews: number): Promise<void> {
  server.requests = [];
  expect([await ask(authorization), server.requests]).toEqual([
    want,
    Array.from({ length: reviews }, () => review),
  ]);
}

describe('requireServiceAccount', () => {
  test('lets those pass that the API server vouches for', async () => {
    await check('Bearer good', 200, 1);
    await check('bearer good', 200, 0);
    await check('Bearer other', 403, 1);
    await check('Bearer elsewhere', 401, 1);
    await check('Bearer unknown', 401, 1);
  });

  test('asks nobody about what is no token', async () => {
    await check('', 401, 0);
    await check('Basic Zm9vOmJhcg==', 401, 0);
    await check('Bearer ', 401, 0);
    await check('Bearer two words', 401, 0);
    await check(`Bearer ${'x'.repeat(12_000)}`, 401, 1);
  });

  test('asks again after a minute, and after seconds for one that was refused', async () => {
    await check('Bearer good', 200, 1);
    await check('Bearer unknown', 401, 1);
    nowMs = 5001;
    await check('Bearer unknown', 401, 1);
    server.tokens.set('unknown', { username: user, audiences: [audience] });
    nowMs = 10_100;
    await check('Bearer unknown', 200, 1);
    nowMs = 59_000;
    await check('Bearer good', 200, 0);
    server.tokens.delete('good');
    nowMs = 60_001;
    await check('Bearer good', 401, 1);
  });

  test('asks once for many who come together', async () => {
    server.requests = [];
    const statuses = await Promise.all(Array.from({ length: 20 }, () => ask('Bearer good')));
    expect([new Set(statuses), server.requests.length]).toEqual([new Set([200]), 1]);
  });

  test('goes on with those it knows while the API server is away, for ten minutes', async () => {
    await check('Bearer good', 200, 1);
    server.refuse = () => ({ status: 503 });
    nowMs = 61_000;
    await check('Bearer good', 200, 1);
    await check('Bearer good', 200, 0);
    await check('Bearer unknown', 503, 1);
    nowMs = 599_000;
    expect(await ask('Bearer good')).toBe(200);
    nowMs = 601_000;
    expect(await ask('Bearer good')).toBe(503);
    server.refuse = () => undefined;
    expect(await ask('Bearer good')).toBe(200);
  });

  test('a flood of unknown tokens does not push a known one out', async () => {
    await check('Bearer good', 200, 1);
    for (let round = 0; round < 30; round++)
      await Promise.all(Array.from({ length: 40 }, (_, turn) => ask(`Bearer made-up-${round}-${turn}`)));
    await check('Bearer good', 200, 0);
  }, 30_000);
});
