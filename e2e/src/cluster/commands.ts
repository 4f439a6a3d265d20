// The tools that a user has (kubectl, helm) and those that break things (the scripts of e2e/cluster).

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { binFolder, kubeconfig, repository, stateFolder } from './environment.ts';

export interface RunOptions {
  readonly input?: string;
  readonly timeoutMs?: number;
}

/** Standard output of a command; an error with all its output when it fails or takes longer than `timeoutMs` (default 30 s). */
export async function run(
  command: string,
  args: readonly string[],
  { input = '', timeoutMs = 30_000 }: RunOptions = {},
): Promise<string> {
  const child = spawn(command, args, {
    env: { ...process.env, PATH: `${binFolder}:${process.env['PATH']}`, KUBECONFIG: kubeconfig },
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdin.on('error', () => {}).end(input);
  const code = await new Promise<number | string>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exit, signal) => resolve(exit ?? signal ?? 'unknown'));
  });
  if (code === 0) return stdout;
  const ended = code === 'SIGKILL' ? `not within ${timeoutMs} ms` : `exit ${code}`;
  throw new Error(`${command} ${args.join(' ')}: ${ended}: ${stderr}${stdout}`.trimEnd());
}

export function kubectl(args: readonly string[], options?: RunOptions): Promise<string> {
  return run('kubectl', args, options);
}

export function helm(args: readonly string[], options?: RunOptions): Promise<string> {
  return run('helm', args, { timeoutMs: 120_000, ...options });
}

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/** `kubectl apply` as a user does it, of several objects at once. */
export async function apply(...objects: readonly Manifest[]): Promise<void> {
  await kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], { input: listOf(objects) });
}

export async function remove(...objects: readonly Manifest[]): Promise<void> {
  await kubectl(['delete', '--ignore-not-found', '--wait=false', '-f', '-'], { input: listOf(objects) });
}

function listOf(items: readonly Manifest[]): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
}

/** Stops, kills, starts or restarts one component of a node, as component.sh names it. */
export async function component(
  action: 'stop' | 'kill' | 'start' | 'restart',
  name: string,
  node = 1,
): Promise<void> {
  await script('component.sh', action, name, String(node));
}

/** A power cut of a whole node, and its end. */
export async function nodePower(action: 'kill' | 'start', node: number): Promise<void> {
  await script('node.sh', action, String(node));
}

async function script(name: string, ...args: readonly string[]): Promise<void> {
  await run(join(repository, 'e2e/cluster', name), [stateFolder, ...args], { timeoutMs: 120_000 });
}
