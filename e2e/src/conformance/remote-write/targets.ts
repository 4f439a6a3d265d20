// Two targets: one of text, whose series come and go, and one of a native histogram.

import type { ServerResponse } from 'node:http';
import { encodeMetricFamily, type ExposedFamily } from '@flotilla/wire';
import { type Exporter, sendText, startExporter } from '../../local/exporter.ts';

const startedMs = Date.now();

function second(): number {
  return Math.floor((Date.now() - startedMs) / 1000);
}

/** Values have few digits: VictoriaMetrics keeps decimals. */
function text(): string {
  const now = second();
  const lines = ['# HELP test_requests_total Requests.', '# TYPE test_requests_total counter'];
  for (let i = 0; i < 40; i++) lines.push(`test_requests_total{path="/${i}"} ${now * (i + 1)}`);
  lines.push('# TYPE test_load gauge');
  for (let i = 0; i < 10; i++) lines.push(`test_load{cpu="${i}"} ${((now * 7 + i * 13) % 100) / 8}`);
  // A new series every ten seconds; the old one gets a stale marker.
  lines.push(`test_life{number="${Math.floor(now / 10)}"} ${now}`, '');
  return lines.join('\n');
}

function histogram(): Buffer {
  const now = second() + 1;
  const family = {
    name: Buffer.from('test_duration_seconds'),
    type: 4,
    metric: [
      {
        histogram: {
          sampleCount: 3 * now,
          sampleSum: 7.5 * now,
          schema: 1,
          zeroThreshold: 1e-9,
          positiveSpan: [{ offset: 1, length: 2 }],
          positiveDelta: [now, now],
        },
      },
    ],
  };
  const message = encodeMetricFamily(family as unknown as Partial<ExposedFamily>);
  return Buffer.concat([Buffer.from([message.length]), message]);
}

function sendHistogram(response: ServerResponse): void {
  const type = 'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited';
  response.writeHead(200, { 'content-type': type });
  response.end(histogram());
}

export function startTargets(): Promise<Exporter[]> {
  return Promise.all([
    startExporter((_, response) => sendText(response, text())),
    startExporter((_, response) => sendText(response, text())),
    startExporter((_, response) => sendHistogram(response)),
  ]);
}
