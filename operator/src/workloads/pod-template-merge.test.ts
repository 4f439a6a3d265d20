import { describe, expect, test } from '@jest/globals';
import { mergePodSpec } from './pod-template-merge.ts';

type Tree = Readonly<Record<string, unknown>>;

describe('mergePodSpec', () => {
  function check(made: Tree, wanted: Tree, want: Tree): void {
    expect(mergePodSpec(made, wanted)).toEqual(want);
  }

  test('replaces scalars, merges maps, and leaves the rest', () => {
    check({ a: 1, b: 2 }, { b: 3, c: 4 }, { a: 1, b: 3, c: 4 });
    check({ nodeSelector: { a: '1' } }, { nodeSelector: { b: '2' } }, { nodeSelector: { a: '1', b: '2' } });
    check({ affinity: { x: { y: 1 } } }, { affinity: { x: { z: 2 } } }, { affinity: { x: { y: 1, z: 2 } } });
  });

  test('removes what is null', () => {
    check({ a: 1, b: { c: 1, d: 2 } }, { a: null, b: { c: null } }, { b: { d: 2 } });
  });

  test('merges containers, volumes and variables by name, and adds new ones', () => {
    check(
      { containers: [{ name: 'scraper', image: 'a', env: [{ name: 'A', value: '1' }] }] },
      {
        containers: [
          { name: 'proxy', image: 'p' },
          {
            name: 'scraper',
            env: [
              { name: 'A', value: '2' },
              { name: 'B', value: '3' },
            ],
          },
        ],
      },
      {
        containers: [
          {
            name: 'scraper',
            image: 'a',
            env: [
              { name: 'A', value: '2' },
              { name: 'B', value: '3' },
            ],
          },
          { name: 'proxy', image: 'p' },
        ],
      },
    );
    check(
      { volumes: [{ name: 'tmp', emptyDir: {} }] },
      { volumes: [{ name: 'tmp', emptyDir: { medium: 'Memory' } }, { name: 'x' }] },
      { volumes: [{ name: 'tmp', emptyDir: { medium: 'Memory' } }, { name: 'x' }] },
    );
  });

  test('knows what identifies mounts, ports and spread constraints', () => {
    check(
      { volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }] },
      {
        volumeMounts: [
          { name: 'tmp', mountPath: '/var/tmp' },
          { name: 'big', mountPath: '/tmp' },
        ],
      },
      {
        volumeMounts: [
          { name: 'big', mountPath: '/tmp' },
          { name: 'tmp', mountPath: '/var/tmp' },
        ],
      },
    );
    check(
      { ports: [{ containerPort: 1 }] },
      { ports: [{ containerPort: 1, name: 'a' }] },
      { ports: [{ containerPort: 1, name: 'a' }] },
    );
    check(
      {
        topologySpreadConstraints: [{ topologyKey: 'host', maxSkew: 1, whenUnsatisfiable: 'DoNotSchedule' }],
      },
      { topologySpreadConstraints: [{ topologyKey: 'host', whenUnsatisfiable: 'ScheduleAnyway' }] },
      {
        topologySpreadConstraints: [{ topologyKey: 'host', maxSkew: 1, whenUnsatisfiable: 'ScheduleAnyway' }],
      },
    );
  });

  test('appends tolerations and arguments, replaces other lists', () => {
    check(
      { tolerations: [{ key: 'a' }] },
      { tolerations: [{ key: 'b' }] },
      { tolerations: [{ key: 'a' }, { key: 'b' }] },
    );
    check({ args: ['--a'] }, { args: ['--b'] }, { args: ['--a', '--b'] });
    check({ command: ['node', 'x'] }, { command: ['sh'] }, { command: ['sh'] });
    check({ tolerations: undefined }, { tolerations: [{ key: 'b' }] }, { tolerations: [{ key: 'b' }] });
  });

  test('changes neither of the two', () => {
    const made = Object.freeze({ containers: Object.freeze([Object.freeze({ name: 'a' })]) });
    const wanted = Object.freeze({ containers: Object.freeze([Object.freeze({ name: 'a', image: 'b' })]) });
    check(made, wanted, { containers: [{ name: 'a', image: 'b' }] });
    expect(made).toEqual({ containers: [{ name: 'a' }] });
  });
});
