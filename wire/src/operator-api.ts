// What the operator alone knows of targets, asked for by the queriers: labels before relabeling, what relabeling dropped,
// and how jobs are configured.

/** JSON over HTTP, in Prometheus's envelope. */
export const OPERATOR_PATHS = {
  discovered: '/api/v1/targets/discovered',
  relabelSteps: '/api/v1/targets/relabel_steps',
  scrapeConfig: '/api/v1/scrape_pools/config',
} as const;

export type LabelRecord = Readonly<Record<string, string>>;

export interface DiscoveredTarget {
  readonly scrapePool: string;
  readonly url: string;
  readonly labels: LabelRecord;
  readonly discoveredLabels: LabelRecord;
}

export interface DroppedTarget {
  readonly discoveredLabels: LabelRecord;
  readonly scrapePool: string;
}

/** GET discovered?scrapePool=&active=true&dropped=true */
export interface DiscoveredResponse {
  /** Every pool's name. */
  readonly scrapePools: readonly string[];
  readonly active: readonly DiscoveredTarget[];
  readonly dropped: readonly DroppedTarget[];
  /** Of every pool, those that are not listed included. */
  readonly droppedCounts: Readonly<Record<string, number>>;
  /** A limit of the operator, not of a job, left some out. */
  readonly isCut: boolean;
}

/** One rule in Prometheus's JSON, and what it left: nothing from the one on that dropped the target. */
export interface RelabelStepView {
  readonly rule: Readonly<Record<string, unknown>>;
  readonly output: LabelRecord;
  readonly keep: boolean;
}

/** GET relabel_steps?scrapePool=&labels={…}; null for a pool that does not exist. */
export type RelabelStepsResponse = { readonly steps: readonly RelabelStepView[] } | null;

/** GET scrape_pools/config?scrapePool=; null for a pool that does not exist. */
export type ScrapeConfigResponse = { readonly yaml: string } | null;
