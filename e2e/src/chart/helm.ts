// Helm, and the chart's objects as it renders them.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadAll } from 'js-yaml';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const repository = fileURLToPath(new URL('../../../', import.meta.url));
export const chart = join(repository, 'charts/flotilla');

export const cacheFolder =
  process.env['FLOTILLA_CACHE'] ??
  join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'flotilla');
const helmBinary = process.env['FLOTILLA_HELM'] ?? join(cacheFolder, 'cluster/bin/helm');

/** Why there can be no test; '' when there can. */
export const missing = existsSync(helmBinary)
  ? ''
  : ` (no Helm at ${helmBinary}: build it with e2e/cluster/build.sh, or set FLOTILLA_HELM)`;

export type Values = Readonly<Record<string, unknown>>;

export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

/** What lies at a path like `spec/ports/0/name`; the caller says what that is. Throws where the path ends. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller says what lies there
export function at<T>(object: KubeObject, path: string): T {
  let value: unknown = object;
  for (const part of path.split('/')) {
    value = (value as Readonly<Record<string, unknown>> | undefined)?.[part];
    if (value === undefined) throw new Error(`${object.kind} ${object.metadata.name}: no ${path}`);
  }
  return value as T;
}

export interface HelmResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export function helm(...args: readonly string[]): HelmResult {
  const { status, stdout, stderr, error } = spawnSync(helmBinary, args, { encoding: 'utf8' });
  if (error !== undefined) throw error;
  return { status: status ?? 1, stdout, stderr };
}

/** `helm template` with these values, as release `flotilla` in namespace `monitoring`. */
export function template(values: Values, ...args: readonly string[]): HelmResult {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-chart-'));
  try {
    const file = join(folder, 'values.json');
    writeFileSync(file, JSON.stringify(values));
    return helm('template', 'flotilla', chart, '-n', 'monitoring', '-f', file, ...args);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The rendered text. Throws when it does not render. */
export function renderText(values: Values, ...args: readonly string[]): string {
  const { status, stdout, stderr } = template(values, ...args);
  if (status !== 0) throw new Error(`helm template: exit ${status}: ${stderr}`);
  return stdout;
}

export function parseObjects(text: string): KubeObject[] {
  return loadAll(text) as KubeObject[];
}

/** The objects, in Helm's order. */
export function render(values: Values, ...args: readonly string[]): KubeObject[] {
  return parseObjects(renderText(values, ...args));
}

export function find(objects: readonly KubeObject[], kind: string, name: string): KubeObject {
  const found = objects.find((object) => object.kind === kind && object.metadata.name === name);
  if (found === undefined) throw new Error(`${kind} ${name}: not rendered`);
  return found;
}

export function namesOf(objects: readonly KubeObject[], kind: string): string[] {
  return objects.filter((object) => object.kind === kind).map(({ metadata }) => metadata.name);
}
