// `flotilla why`: from a target, Service or Pod to what became of it, rule by rule.

import { getApi } from './api-client.ts';
import type { Printer } from './query.ts';

export interface ReplicaReport {
  readonly store: string;
  readonly health: string;
  readonly lastScrapeMs: number;
  readonly lastError: string;
}

export interface ExplainMatch {
  readonly object: {
    readonly kind: string;
    readonly namespace: string;
    readonly name: string;
    readonly file?: string;
  };
  readonly job: string;
  readonly discovered: Readonly<Record<string, string>>;
  readonly steps: readonly { readonly rule: number; readonly text: string }[];
  readonly dropped?: { readonly rule: number; readonly text: string };
  readonly target?: {
    readonly labels: Readonly<Record<string, string>>;
    readonly url: string;
    readonly slot: number;
    readonly shard: number;
    readonly key: string;
  };
  readonly replicas?: readonly ReplicaReport[];
}

export interface Explanation {
  readonly matches: readonly ExplainMatch[];
  readonly nearMisses: readonly { readonly monitor: string; readonly reason: string }[];
}

/** Prints the explanation; resolves to whether anything was found. */
export async function why(text: string, server: string, printer: Printer): Promise<boolean> {
  const { envelope } = await getApi<Explanation>(server, '/api/v1/explain', { q: text });
  const { matches, nearMisses } = envelope.data;
  for (const match of matches) for (const line of formatMatch(match, Date.now())) printer.out(line);
  if (matches.length === 0) printer.err(`${text}: no monitor finds it`);
  for (const { monitor, reason } of nearMisses) printer.err(`near miss: ${monitor}: ${reason}`);
  return matches.length > 0;
}

/** Lines of one found target, in the order in which it was made. */
export function formatMatch(match: ExplainMatch, nowMs: number): string[] {
  const { object, target, dropped } = match;
  const file = object.file === undefined ? '' : ` (${object.file})`;
  const lines = [
    `found by      ${object.kind} ${object.namespace}/${object.name}${file}`,
    `job           ${match.job}`,
  ];
  lines.push(`discovered as ${match.discovered['__address__'] ?? ''}`);
  for (const step of match.steps) lines.push(`  rule ${step.rule}: ${step.text}`);
  if (dropped !== undefined) return [...lines, `dropped by    rule ${dropped.rule}: ${dropped.text}`];
  if (target === undefined) return lines;
  const labels = Object.entries(target.labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  lines.push(`relabeled to  {${labels.join(', ')}}`, `url           ${target.url}`);
  const owner = target.slot < 0 ? 'every shard' : `${target.shard}`;
  lines.push(
    `slot          ${target.slot < 0 ? 'none' : target.slot} (key ${target.key})`,
    `shard         ${owner}`,
  );
  for (const replica of match.replicas ?? []) lines.push(formatReplica(replica, nowMs));
  return lines;
}

function formatReplica({ store, health, lastScrapeMs, lastError }: ReplicaReport, nowMs: number): string {
  const ago = lastScrapeMs === 0 ? 'not scraped yet' : `${((nowMs - lastScrapeMs) / 1000).toFixed(1)} s ago`;
  return `  ${store}: ${health}, ${ago}${lastError === '' ? '' : `: ${lastError}`}`;
}
