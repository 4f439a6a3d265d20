import { describe, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StoreAddress } from '@flotilla/wire';
import { ReplicaChoice } from './replica-choice.ts';

function store(replica: number): StoreAddress {
  const name = `scraper-main-0-${replica}`;
  return { name, kind: 'scraper', shard: 0, replica, url: `http://127.0.0.1:${9000 + replica}` };
}

const stores = [store(0), store(1)];
const open = new AbortController().signal;
const namesOf = (list: readonly { name: string }[]): string[] => list.map(({ name }) => name);
const firstThenSecond = namesOf(stores);
const secondThenFirst = firstThenSecond.toReversed();

function silent(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
}

describe('a replica that fails', () => {
  test('is followed by the other one, steps back with its reason, and is forgiven after a while', async () => {
    const choice = new ReplicaChoice();
    const { answer, failures } = await choice.ask(stores, open, async (one) => {
      if (one.replica === 0) throw new Error('refused');
      return 'data';
    });
    expect([answer?.store.name, answer?.value]).toEqual(['scraper-main-0-1', 'data']);
    expect(failures.map(({ store: { name }, error }) => [name, error])).toEqual([
      ['scraper-main-0-0', 'refused'],
    ]);
    const nowMs = Date.now();
    expect(choice.failureOf(stores[0]!, nowMs)).toBe('refused');
    expect(namesOf(choice.order(stores, nowMs))).toEqual(secondThenFirst);
    expect(choice.failureOf(stores[0]!, nowMs + 3100)).toBe('');
    expect(namesOf(choice.order(stores, nowMs + 3100))).toEqual(firstThenSecond);
  });

  test('is asked all the same when it is the only one, and one answer ends its time aside', async () => {
    const choice = new ReplicaChoice();
    await choice.ask(stores.slice(0, 1), open, async () => {
      throw new Error('refused');
    });
    expect(choice.failureOf(stores[0]!, Date.now())).toBe('refused');
    const { answer } = await choice.ask(stores.slice(0, 1), open, async () => 'data');
    expect(answer?.value).toBe('data');
    expect(choice.failureOf(stores[0]!, Date.now())).toBe('');
  });
});

test('a silent replica is hedged: the other one answers, the silent one is cut off and asked last, but not called failed', async () => {
  const choice = new ReplicaChoice();
  let isCut = false;
  const { answer, failures } = await choice.ask(stores, open, async (one, signal) => {
    if (one.replica === 1) return 'data';
    signal.addEventListener('abort', () => (isCut = true));
    return silent(signal);
  });
  expect([answer?.store.name, failures]).toEqual(['scraper-main-0-1', []]);
  await sleep(10);
  expect(isCut).toBe(true);
  expect(namesOf(choice.order(stores, Date.now()))).toEqual(secondThenFirst);
  expect(choice.failureOf(stores[0]!, Date.now())).toBe('');
});

test('an abort of the query ends the call with its reason', async () => {
  const client = new AbortController();
  const asked = new ReplicaChoice().ask(stores, client.signal, (_, signal) => silent(signal));
  client.abort(new Error('client has gone'));
  await expect(asked).rejects.toThrow('client has gone');
});
