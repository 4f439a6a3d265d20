// The local mode's files: how the operator tells the supervisor (`flotilla up`) which processes to run. The supervisor is
// to local processes what the kubelet is to pods: it starts, probes and restarts them, and publishes each as a Pod manifest.

/** DATA/workloads.json, written by the operator. */
export interface LocalWorkloads {
  readonly version: 1;
  readonly processes: readonly LocalProcess[];
}

export interface LocalProcess {
  /** Stable: scraper-main-0-0, querier-main-0, ruler-main-1. Also the name of the pod and of the data folder. */
  readonly name: string;
  readonly binary: 'scraper' | 'querier' | 'ruler';
  readonly args: readonly string[];
  readonly url: string;
  /** Labels of the Pod manifest that the supervisor publishes (app.kubernetes.io/name, flotilla.dev/shard, …). */
  readonly labels: Readonly<Record<string, string>>;
}

/** File and folder names below the data folder of a local fleet. */
export const LOCAL_PATHS = {
  token: 'token',
  topology: 'topology/topology.json',
  workloads: 'workloads.json',
  pods: 'pods',
  operator: 'operator',
  logs: 'logs',
  lock: 'up.pid',
} as const;
