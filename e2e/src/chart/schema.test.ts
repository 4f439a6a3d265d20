import { describe, expect, test } from '@jest/globals';
import { load } from 'js-yaml';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chart, missing, template } from './helm.ts';
import type { Values } from './helm.ts';

const withHelm = missing === '' ? test : test.skip;

interface Schema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly definitions?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
}

const schema = JSON.parse(readFileSync(join(chart, 'values.schema.json'), 'utf8')) as Schema;
const text = readFileSync(join(chart, 'values.yaml'), 'utf8');
const values = load(text) as Values;

/** Kubernetes's own shapes, and what is shared with other charts: the API server or the other chart checks them. */
const open = [
  '/global',
  '/monitoring-crds',
  '/fleet/spec',
  '/operator/extraEnv/[]',
  '/operator/networkPolicy/from/[]',
  '/operator/tolerations/[]',
  '/operator/affinity',
  '/operator/topologySpreadConstraints/[]',
  '/querier/httpRoute/parentRefs/[]',
  '/grafana/datasource/jsonData',
  '/extraManifests/[]',
  '/#resources/claims/[]',
];

describe('the schema of the values', () => {
  withHelm(`refuses wrong values and says where${missing}`, () => {
    function check(bad: Values, ...want: readonly string[]): void {
      const { status, stderr } = template(bad);
      expect(status).not.toBe(0);
      for (const part of want) expect(stderr).toContain(part);
    }
    check({ operator: { replica: 2 } }, "at '/operator'", "'replica' not allowed");
    check({ operators: {} }, "'operators' not allowed");
    check({ operator: { replicas: 0 } }, "at '/operator/replicas'");
    check({ operator: { replicas: '2' } }, "at '/operator/replicas'", 'want integer');
    check({ operator: { logLevel: 'trace' } }, "at '/operator/logLevel'");
    check({ operator: { extraArgs: ['web.x=1'] } }, "at '/operator/extraArgs/0'");
    check({ image: { tag: 'a:b' } }, "at '/image/tag'");
    check({ image: { digest: 'sha256:abc' } }, "at '/image/digest'");
    check({ image: { pullPolicy: 'Sometimes' } }, "at '/image/pullPolicy'");
    check({ rbac: { scope: 'namespace' } }, "at '/rbac/scope'");
    check({ rbac: { namespaces: ['Shop'] } }, "at '/rbac/namespaces/0'");
    check({ fleet: { name: 'Main' } }, "at '/fleet/name'");
    check({ fleet: { spec: [] } }, "at '/fleet/spec'");
    check({ fleet: { shards: 2 } }, "at '/fleet'", "'shards' not allowed");
    check({ controlPlane: { provider: 'minikube' } }, "at '/controlPlane/provider'");
    check({ controlPlane: { kubelet: { enabled: 'yes' } } }, "at '/controlPlane/kubelet/enabled'");
    check({ monitoring: { interval: '15' } }, "at '/monitoring/interval'");
    check({ monitoring: { rules: { disabled: ['KubeDown'] } } }, "at '/monitoring/rules/disabled/0'");
    check({ grafana: { datasource: { url: 'querier:9090' } } }, "at '/grafana/datasource/url'");
    check({ grafana: { datasource: { labels: { a: 1 } } } }, "at '/grafana/datasource/labels/a'");
    check({ querier: { ingress: { enabled: true } } }, 'querier.ingress.hosts: got none, want at least one');
    check(
      { querier: { httpRoute: { enabled: true } } },
      'querier.httpRoute.parentRefs: got none, want at least one',
    );
    check({ querier: { ingress: { path: 'x' } } }, "at '/querier/ingress/path'");
    check({ global: { imagePullSecrets: ['name'] } }, "at '/global/imagePullSecrets/0'");
  });

  test('lets no unknown key in, except where Kubernetes or another chart decides', () => {
    const found: string[] = [];
    visit(schema, '');
    for (const [name, definition] of Object.entries(schema.definitions ?? {})) visit(definition, `/#${name}`);
    expect(found.toSorted()).toEqual(open.toSorted());

    function visit(node: Schema, path: string): void {
      const isObject = node.type === 'object' || (Array.isArray(node.type) && node.type.includes('object'));
      if (isObject && (node.additionalProperties ?? true) === true) found.push(path);
      for (const [key, child] of Object.entries(node.properties ?? {})) visit(child, `${path}/${key}`);
      if (node.items !== undefined) visit(node.items, `${path}/[]`);
    }
  });

  test('knows exactly the values that there are', () => {
    expect(keysOfSchema(schema, '')).toEqual(expect.arrayContaining(keysOf(values, '')));
    expect(keysOf(values, '')).toEqual(
      expect.arrayContaining(keysOfSchema(schema, '').filter((key) => key !== '/monitoring-crds')),
    );

    function keysOfSchema(node: Schema, path: string): string[] {
      return Object.entries(node.properties ?? {}).flatMap(([key, child]) => [
        `${path}/${key}`,
        ...keysOfSchema(child, `${path}/${key}`),
      ]);
    }
    function keysOf(value: Values, path: string): string[] {
      return Object.entries(value).flatMap(([key, child]) => {
        const at = `${path}/${key}`;
        const isClosed =
          typeof child === 'object' && child !== null && !Array.isArray(child) && isDescribed(at);
        return isClosed ? [at, ...keysOf(child as Values, at)] : [at];
      });
    }
    function isDescribed(path: string): boolean {
      let node: Schema | undefined = schema;
      for (const key of path.slice(1).split('/')) node = node?.properties?.[key];
      return node?.properties !== undefined;
    }
  });

  test('is for values of which each has a comment', () => {
    const lines = text.split('\n');
    expect(lines.length).toBeLessThan(400);
    expect(lines.filter((line) => line.trim().startsWith('#')).length).toBeGreaterThan(60);
  });
});
