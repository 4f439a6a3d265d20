import { expect, test } from '@jest/globals';
import { NameCache } from './name-cache.ts';

const address = (last: number) => ({ address: `10.0.0.${last}`, family: 4 });
const settled = () => new Promise((resolve) => setImmediate(resolve));

test('a name that was found is answered at once, however long its renewal takes or fails', async () => {
  let nowMs = 0;
  let answer = Promise.resolve([address(1)]);
  let asked = 0;
  const names = new NameCache(
    () => {
      asked++;
      return answer;
    },
    () => nowMs,
  );
  const check = async (last: number, asksInAll: number): Promise<void> => {
    expect(await names.find('a')).toEqual({ addresses: [address(last)] });
    await settled();
    expect(asked).toBe(asksInAll);
  };
  await check(1, 1);
  await check(1, 1);
  nowMs += 31_000;
  answer = new Promise(() => undefined);
  await check(1, 2);
  await check(1, 2);
});

test('a failed renewal leaves the old answer for ten minutes; then the failure is told', async () => {
  let nowMs = 0;
  let works = true;
  const failure = new Error('no such host');
  const names = new NameCache(
    () => (works ? Promise.resolve([address(1)]) : Promise.reject(failure)),
    () => nowMs,
  );
  await names.find('a');
  works = false;
  for (; nowMs < 599_000; nowMs += 40_000) {
    expect(await names.find('a')).toEqual({ addresses: [address(1)] });
    await settled();
  }
  nowMs = 700_000;
  expect(await names.find('a')).toEqual({ failure });
  works = true;
  nowMs += 1000;
  expect(await names.find('a')).toEqual({ failure });
  nowMs += 5000;
  expect(await names.find('a')).toEqual({ addresses: [address(1)] });
});

test('three look-ups run at a time, and names that failed wait for others', async () => {
  let nowMs = 0;
  const running = new Map<string, (fails: boolean) => void>();
  const names = new NameCache(
    (name) =>
      new Promise((resolve, reject) => {
        running.set(name, (fails) => {
          running.delete(name);
          if (fails) reject(new Error('silent'));
          else resolve([address(1)]);
        });
      }),
    () => nowMs,
  );
  const find = async (...all: string[]): Promise<void> => {
    for (const name of all) void names.find(name);
    await settled();
  };
  await find('dead');
  running.get('dead')!(true);
  await settled();
  nowMs += 6000;
  await find('a', 'b', 'c', 'dead', 'd', 'a');
  expect([...running.keys()]).toEqual(['a', 'b', 'c']);
  running.get('b')!(false);
  await settled();
  expect([...running.keys()]).toEqual(['a', 'c', 'd']);
  running.get('a')!(false);
  await settled();
  expect([...running.keys()]).toEqual(['c', 'd', 'dead']);
  expect(await names.find('a')).toEqual({ addresses: [address(1)] });
});
