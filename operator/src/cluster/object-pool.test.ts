import { describe, expect, test } from '@jest/globals';
import type { ObjectOf } from '../objects/kinds.ts';
import { parseObject } from '../objects/parse-object.ts';
import { ObjectPool } from './object-pool.ts';

function pod(name: string, app: string): ObjectOf<'Pod'> {
  const metadata = { name, namespace: 'shop', uid: `uid-${name}`, labels: { app }, annotations: { a: 'b' } };
  const containers = [{ name: 'main', image: 'x:1', ports: [{ containerPort: 80 }] }];
  const status = { podIP: '10.0.0.1', conditions: [{ type: 'Ready', status: 'True' }] };
  const value = { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers }, status };
  return parseObject(JSON.parse(JSON.stringify(value)), { file: '', line: 0 }).object as ObjectOf<'Pod'>;
}

describe('ObjectPool', () => {
  test('leaves objects equal, and has their common parts once', () => {
    const pool = new ObjectPool();
    const [a, b, c] = [pod('a', 'web'), pod('b', 'web'), pod('c', 'db')].map((one) => pool.share(one));
    expect([a, b, c]).toEqual([pod('a', 'web'), pod('b', 'web'), pod('c', 'db')]);
    expect(a!.metadata.labels).toBe(b!.metadata.labels);
    expect(a!.spec.containers).toBe(c!.spec.containers);
    expect(a!.status.conditions).toBe(c!.status.conditions);
    expect(a!.metadata.labels).not.toBe(c!.metadata.labels);
  });
});
