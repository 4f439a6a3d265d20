// The cluster under test, as scripts/cluster.mjs describes it in environment variables.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '')
    throw new Error(`${name}: not set, want it from scripts/cluster.mjs`);
  return value;
}

/** Folder of the cluster's state. */
export const stateFolder = required('FLOTILLA_E2E_STATE');
/** Folder of kubectl and helm. */
export const binFolder = required('FLOTILLA_E2E_BIN');
/** The image under test, as repository:tag. */
export const image = required('FLOTILLA_E2E_IMAGE');
/** Ports on this machine. */
export const ports = { load: 9500, alertmanager: 9093, notifications: 9094 };
export const loadTargets = Number(required('FLOTILLA_E2E_TARGETS'));
/** How long the API server is away in the test of that. */
export const apiOutageMs = Number(process.env['FLOTILLA_E2E_API_OUTAGE_SECONDS'] ?? '180') * 1000;

export const repository = fileURLToPath(new URL('../../../', import.meta.url));
export const artefacts = join(repository, 'e2e/artefacts/cluster');
export const kubeconfig = join(stateFolder, 'kubeconfig');

const slot = readFileSync(join(stateFolder, 'slot'), 'utf8').trim();

/** This machine, as the nodes and pods see it. */
export const hostAddress = `10.201.${slot}.1`;
export const apiServerUrl = `https://10.201.${slot}.2:6443`;

/** Address of the node with this number, from 1. */
export function nodeAddress(node: number): string {
  return `10.201.${slot}.${node * 4 - 2}`;
}

export function nodeName(node: number): string {
  return node === 1 ? 'e2e-node' : `e2e-node-${node}`;
}

export const nodeNumbers = [1, 2, 3];
