// `helm install` as these proofs do it, and what else is there from the beginning.

import { join } from 'node:path';
import { alertmanagerName } from './alerts.ts';
import { helm } from './commands.ts';
import { image, repository } from './environment.ts';
import { namespace, release } from './fleet.ts';

export const chart = join(repository, 'charts/flotilla');
const [registry = '', repositoryAndTag = ''] = image.split('/');
const [name = '', tag = ''] = repositoryAndTag.split(':');

/** Intervals of 2 s, and no monitors of the control plane but those that a proof applies. */
export const values = {
  image: { registry, repository: name, tag },
  controlPlane: { provider: 'none' },
  monitoring: { interval: '2s' },
  fleet: {
    spec: {
      retention: '1d',
      scrapeInterval: '2s',
      scrapeTimeout: '2s',
      evaluationInterval: '2s',
      storage: { size: '1Gi' },
      ruler: { replicas: 2, alertmanagers: [{ url: alertmanagerName }] },
    },
  },
};

/** Values come by standard input: a command that a reader of the artefacts can repeat. */
function withValues(command: 'install' | 'upgrade', ...further: readonly string[]): Promise<string> {
  const place = [command, release, chart, '--namespace', namespace];
  const args = [...place, '--values', '-', '--wait', '--timeout', '120s', ...further];
  return helm(args, { input: JSON.stringify(values), timeoutMs: 150_000 });
}

export function install(): Promise<string> {
  return withValues('install');
}

export function upgrade(...settings: readonly string[]): Promise<string> {
  return withValues('upgrade', ...settings.flatMap((setting) => ['--set', setting]));
}
