// A local process as the Pod that Kubernetes would show for it, so that discovery finds both in the same way.

import { createHash } from 'node:crypto';

export interface RunningPart {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly url: string;
  /** 0 while it is being restarted. */
  readonly pid: number;
  readonly restarts: number;
  readonly ready: boolean;
}

/** The namespace of the pods of a local fleet. */
export const POD_NAMESPACE = 'flotilla';

/** JSON, which is YAML too. Equal parts give equal text. */
export function podManifest(part: RunningPart): string {
  const { hostname, port } = new URL(part.url);
  const status = part.ready ? 'True' : 'False';
  return `${JSON.stringify(
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: part.name,
        namespace: POD_NAMESPACE,
        uid: createHash('md5').update(part.name).digest('hex'),
        labels: part.labels,
        annotations: { 'flotilla.dev/pid': `${part.pid}`, 'flotilla.dev/restarts': `${part.restarts}` },
      },
      spec: {
        nodeName: 'localhost',
        containers: [
          { name: 'flotilla', ports: [{ name: 'http', containerPort: Number(port), protocol: 'TCP' }] },
        ],
      },
      status: {
        phase: 'Running',
        hostIP: hostname,
        podIP: hostname,
        podIPs: [{ ip: hostname }],
        conditions: [{ type: 'Ready', status }],
        containerStatuses: [{ name: 'flotilla', ready: part.ready, restartCount: part.restarts }],
      },
    },
    undefined,
    2,
  )}\n`;
}
