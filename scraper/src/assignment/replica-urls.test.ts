import { describe, expect, test } from '@jest/globals';
import { replicaUrls } from './replica-urls.ts';

describe('replicaUrls', () => {
  test('leaves addresses and https as they are', async () => {
    for (const url of ['http://127.0.0.1:9090', 'http://[::1]:9090', 'https://operator.example:9090'])
      expect(await replicaUrls(url)).toEqual([url]);
  });

  test('gives one URL for each address of a name', async () => {
    const urls = await replicaUrls('http://localhost:9090/base');
    expect(urls.length).toBeGreaterThan(0);
    for (const url of urls) expect(url).toMatch(/^http:\/\/(127\.0\.0\.1|\[::1\]):9090\/base$/);
  });

  test('fails for a name that does not exist', async () => {
    await expect(replicaUrls('http://nothing.invalid:1')).rejects.toThrow('nothing.invalid');
  });
});
