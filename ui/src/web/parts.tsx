// Small parts that several pages use.

import type { ComponentChildren } from 'preact';
import type { Resource } from './use-api.ts';
import { basePath } from './base-path.ts';

export function Badge({
  state,
  children,
}: {
  readonly state: string;
  readonly children?: ComponentChildren;
}) {
  return <span class={`badge ${toneOf(state)}`}>{children ?? state}</span>;
}

const tones: Readonly<Record<string, string>> = {
  up: 'good',
  ok: 'good',
  all: 'good',
  active: 'good',
  ready: 'good',
  inactive: 'good',
  pending: 'warn',
  one: 'warn',
  unknown: 'warn',
  draining: 'warn',
  starting: 'warn',
  replaying: 'warn',
  firing: 'bad',
  down: 'bad',
  err: 'bad',
  none: 'bad',
};

function toneOf(state: string): string {
  return tones[state] ?? 'plain';
}

/** Waits, shows the error with a way to try again, then the content. */
export function Loaded<T>({
  resource,
  children,
}: {
  readonly resource: Resource<T>;
  readonly children: (data: T) => ComponentChildren;
}) {
  const { answer, error, reload } = resource;
  return (
    <>
      {error !== '' && (
        <p class="note bad" role="alert">
          {error} <button onClick={reload}>Try again</button>
        </p>
      )}
      {answer?.warnings.map((warning) => (
        <p key={warning} class="note warn">
          {warning}
        </p>
      ))}
      {answer === undefined && error === '' && <p class="quiet">Loading…</p>}
      {answer !== undefined && children(answer.data)}
    </>
  );
}

export function Labels({ labels }: { readonly labels: Readonly<Record<string, string>> }) {
  return (
    <span class="labels">
      {Object.entries(labels).map(([name, value]) => (
        <span key={name} class="label">
          {name}="{value}"
        </span>
      ))}
    </span>
  );
}

export function QueryLink({ expr }: { readonly expr: string }) {
  return (
    <a class="expr" href={`${basePath}/query?${new URLSearchParams({ 'g0.expr': expr, 'g0.tab': '1' })}`}>
      {expr}
    </a>
  );
}
