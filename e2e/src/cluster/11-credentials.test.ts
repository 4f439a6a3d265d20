// Proof: certificates and tokens rotate without a missing slot; one that expires is a reason to read, and a renewed one heals.

import { afterAll, expect } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { closeApiServer, list, read } from './api-server.ts';
import { issue, serviceAccountToken } from './certificates.ts';
import type { Issued } from './certificates.ts';
import { apply, kubectl, remove } from './commands.ts';
import type { Manifest } from './commands.ts';
import { nodeNumbers } from './environment.ts';
import { missingSlots, settledMs } from './every-slot.ts';
import { intervalMs } from './fleet.ts';
import type { PodObject } from './fleet.ts';
import { app, kubeletService, secret, serviceMonitor, shop } from './manifests.ts';
import { proof } from './proof.ts';
import { query, targets, value } from './querier.ts';
import { until } from './until.ts';

afterAll(closeApiServer);
const vault = app('vault', {
  env: { TLS_DIR: '/secrets/vault-tls', TOKENS_FILE: '/secrets/vault-tokens/tokens' },
  secrets: ['vault-tls', 'vault-tokens'],
});
const dnsName = `vault.${shop}.svc`;
const monitor = serviceMonitor('vault', {
  selector: { matchLabels: { app: 'vault' } },
  endpoints: [
    {
      port: 'http',
      scheme: 'https',
      interval: '2s',
      authorization: { credentials: { name: 'vault-client', key: 'token' } },
      tlsConfig: { ca: { secret: { name: 'vault-client', key: 'ca' } }, serverName: dnsName },
    },
  ],
});

function serverSecrets({ cert, key }: Issued, tokens: readonly string[]): Manifest[] {
  return [
    secret('vault-tls', { 'tls.crt': cert, 'tls.key': key }),
    secret('vault-tokens', { tokens: tokens.join('\n') }),
  ];
}

function clientSecret(token: string, ...authorities: readonly Issued[]): Manifest {
  return secret('vault-client', { token, ca: authorities.map(({ ca }) => ca).join('') });
}

async function vaultPod(): Promise<PodObject | undefined> {
  return (await list<PodObject>(`/api/v1/namespaces/${shop}/pods?labelSelector=app%3Dvault`))[0];
}

/** The common name of who signed the certificate that the pod shows now. */
async function servedBy(): Promise<string> {
  const host = (await vaultPod())?.status.podIP ?? '';
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: 8080, rejectUnauthorized: false, timeout: 3000 }, () => {
      resolve(String(socket.getPeerCertificate().issuer.CN));
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

/** Has the kubelet look at the pod's Secrets now, not within its minute. */
async function refreshMounts(): Promise<void> {
  await kubectl([
    'annotate',
    'pods',
    '-n',
    shop,
    '-l',
    'app=vault',
    '--overwrite',
    `e2e.test/refreshed=${Date.now()}`,
  ]);
}

/** Longer than the operator takes to see a changed Secret. */
const secretSeenMs = 35_000;

proof(
  'the certificate and the bearer token of a target rotate without a missing slot',
  async () => {
    const [old, renewed] = [await issue(dnsName), await issue(dnsName)];
    await apply(...serverSecrets(old, ['one']), clientSecret('one', old), ...vault, monitor);
    await until('it is scraped', 60_000, async () => expect(await value('up{job="vault"}')).toBe(1));
    await sleep(intervalMs);
    const startedMs = settledMs();

    await apply(clientSecret('one', old, renewed), ...serverSecrets(old, ['one', 'two']));
    await refreshMounts();
    await sleep(secretSeenMs);
    await apply(clientSecret('two', old, renewed), ...serverSecrets(renewed, ['one', 'two']));
    const before = await servedBy();
    await refreshMounts();
    await until('the new certificate is shown', 90_000, async () =>
      expect(await servedBy()).not.toBe(before),
    );
    await sleep(secretSeenMs);
    await apply(...serverSecrets(renewed, ['two']), clientSecret('two', renewed));
    await refreshMounts();
    await sleep(10_000);

    const endMs = settledMs();
    const readMs = endMs + intervalMs; // A late sample of the last slot may lie after endMs.
    const range = `[${Math.ceil((readMs - startedMs) / 1000)}s]`;
    const [series] = (await query(`load_seconds_total{job="vault"}${range}`, readMs)).body.data.result;
    expect(missingSlots(series?.values ?? [], startedMs, endMs)).toEqual([]);
    await remove(...vault, monitor);
  },
  300_000,
);

const kubelets = serviceMonitor('kubelet-by-secret', {
  namespaceSelector: { matchNames: ['kube-system'] },
  selector: { matchLabels: { 'app.kubernetes.io/name': 'kubelet' } },
  endpoints: [
    {
      port: 'https-metrics',
      scheme: 'https',
      path: '/metrics/probes',
      interval: '2s',
      authorization: { credentials: { name: 'kubelet-token', key: 'token' } },
      tlsConfig: { insecureSkipVerify: true },
      relabelings: [{ targetLabel: 'job', replacement: 'kubelet-by-secret' }],
    },
  ],
});
const prober = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'prober', namespace: shop } };
const probing = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name: 'e2e:prober' },
  rules: [{ apiGroups: [''], resources: ['nodes/metrics'], verbs: ['get'] }],
};
const proberProbes = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name: 'e2e:prober' },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'e2e:prober' },
  subjects: [{ kind: 'ServiceAccount', name: 'prober', namespace: shop }],
};

proof(
  'a token that expires takes its targets down with the reason, and its renewal brings them back alone',
  async () => {
    await apply(...kubeletService(), prober, probing, proberProbes);
    const { metadata } = await read(`/api/v1/namespaces/${shop}/serviceaccounts/prober`);
    const account = { namespace: shop, name: 'prober', uid: metadata.uid };
    await apply(secret('kubelet-token', { token: serviceAccountToken(account, 25) }), kubelets);
    const up = 'sum(up{job="kubelet-by-secret"})';
    await until('the kubelets are up', 24_000, async () => expect(await value(up)).toBe(nodeNumbers.length));
    await until('the token has expired', 60_000, async () => {
      expect(await value(up)).toBe(0);
      const down = (await targets()).filter(({ labels }) => labels['job'] === 'kubelet-by-secret');
      expect(down.map(({ lastError }) => lastError)).toEqual(
        nodeNumbers.map(() => expect.stringContaining('401')),
      );
    });
    await apply(secret('kubelet-token', { token: serviceAccountToken(account, 600) }));
    await until('the kubelets are up again', 60_000, async () =>
      expect(await value(up)).toBe(nodeNumbers.length),
    );
    await remove(kubelets, probing, proberProbes);
  },
  200_000,
);
