import { describe, expect, test } from '@jest/globals';
import { fleetSpecSchema } from '../discovery/fleet-spec.ts';
import { testFleet } from '../workloads/test-fleet.ts';
import { receiverOf, shardSettings } from './shard-settings.ts';

const url = 'http://mimir/api/v1/push';

describe('settings of a shard', () => {
  test('a destination has the defaults of Prometheus, and external labels', () => {
    const fleet = testFleet({ remoteWrite: [{ url }], externalLabels: { region: 'eu' } });
    const [one] = shardSettings(fleet, 3, undefined).remoteWrite;
    expect(one).toMatchObject({
      name: url,
      timeoutMs: 30_000,
      messageVersion: '1.0',
      externalLabels: [['region', 'eu']],
      replicaLabel: '',
      queue: {
        capacity: 10_000,
        maxShards: 50,
        samplesPerSendMax: 2000,
        batchSendDeadlineMs: 5000,
        minBackoffMs: 30,
      },
    });
  });

  test('with haLabels every replica sends, and the replicas of a shard are one cluster', () => {
    const fleet = testFleet({ remoteWrite: [{ url, name: 'a', haLabels: {} }] });
    const [one] = shardSettings(fleet, 3, undefined).remoteWrite;
    expect(one).toMatchObject({
      name: 'a',
      externalLabels: [['cluster', 'main-3']],
      replicaLabel: '__replica__',
    });
  });

  test('credentials stay references', () => {
    const authorization = { credentials: { name: 'token', key: 'k' } };
    const relabel = [{ action: 'Drop', sourceLabels: ['a'], regex: 'b' }];
    const fleet = testFleet({ remoteWrite: [{ url, authorization, writeRelabelConfigs: relabel }] });
    const [one] = shardSettings(fleet, 0, undefined).remoteWrite;
    const secret = { kind: 'Secret', namespace: 'monitoring', name: 'token', key: 'k' };
    expect(one!.auth).toEqual({ authorization: { type: 'Bearer', credentials: { secret } } });
    expect(one!.relabelings).toEqual([{ action: 'drop', sourceLabels: ['a'], regex: 'b' }]);
    const byFile = testFleet({ remoteWrite: [{ url, authorization: { credentialsFile: '/token' } }] });
    expect(shardSettings(byFile, 0, undefined).remoteWrite[0]!.auth).toEqual({
      authorization: { type: 'Bearer', credentials: { file: '/token' } },
    });
  });

  test('what cannot work is refused, with the reason', () => {
    const check = (remoteWrite: readonly object[], want: string): void => {
      const { error } = fleetSpecSchema.safeParse({ remoteWrite });
      expect(JSON.stringify(error?.issues)).toContain(want);
    };
    check([{ url: 'ftp://a' }], 'Invalid URL');
    check([{ url }, { url }], 'names must differ');
    check([{ url, headers: { 'Content-Type': 'x' } }], "Content-Type is the protocol's");
    check([{ url, queueConfig: { minShards: 60 } }], 'minShards 60, want at most maxShards 50');
    check(
      [{ url, basicAuth: { username: { name: 'a', key: 'b' } } }],
      'want the secrets of username and password',
    );
    check([{ url, writeRelabelConfigs: [{ action: 'replace', regex: '(' }] }], 'regex');
    check([{ url, queue_config: {} }], 'queue_config');
  });

  test('pushed series go to the owners of their slot, both of them while it moves', () => {
    const urlsOf = (shard: number): string[] => [`http://${shard}-0`, `http://${shard}-1`];
    const stable = receiverOf([0, 1], urlsOf, (slot) => [slot % 2]);
    expect([stable?.shards, stable?.table.slice(0, 3), stable?.nextTable]).toEqual([
      [
        { shard: 0, urls: ['http://0-0', 'http://0-1'] },
        { shard: 1, urls: ['http://1-0', 'http://1-1'] },
      ],
      [0, 1, 0],
      [],
    ]);
    const moving = receiverOf([0, 1], urlsOf, (slot) => (slot === 0 ? [0, 1] : [0]));
    expect([moving?.table[0], moving?.nextTable.slice(0, 2)]).toEqual([0, [1, 0]]);
    expect(
      receiverOf(
        [0, 1],
        () => [undefined],
        () => [0],
      ),
    ).toBeUndefined();
  });
});
