// What a scrape asks for, as Prometheus 3.15 writes it: the job's protocols, the best first.

import type { Job } from '@flotilla/wire';

export type ProtocolSettings = Pick<
  Job,
  'scrapeProtocols' | 'scrapeNativeHistograms' | 'nameValidationScheme' | 'nameEscapingScheme'
>;

const mediaTypes: ReadonlyMap<string, string> = new Map([
  [
    'PrometheusProto',
    'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited',
  ],
  ['OpenMetricsText1.0.0', 'application/openmetrics-text;version=1.0.0'],
  ['OpenMetricsText0.0.1', 'application/openmetrics-text;version=0.0.1'],
  ['PrometheusText1.0.0', 'text/plain;version=1.0.0'],
  ['PrometheusText0.0.4', 'text/plain;version=0.0.4'],
]);
const textProtocols: readonly string[] = [...mediaTypes.keys()].slice(1);
/** Formats whose names may be escaped. */
const withEscaping: ReadonlySet<string> = new Set(['OpenMetricsText1.0.0', 'PrometheusText1.0.0']);
/** Prometheus counts down from the number of protocols that it knows, OpenMetrics 2.0 among them, and one. */
const weightMax = 7;

/** The value of the Accept header. Protocols that nobody knows are left out. */
export function acceptHeader(settings: ProtocolSettings): string {
  const escaping = escapingScheme(settings);
  const known = protocolsOf(settings).filter((protocol) => mediaTypes.has(protocol));
  const offers = known.map((protocol, i) => {
    const scheme = withEscaping.has(protocol) ? `;escaping=${escaping}` : '';
    return `${mediaTypes.get(protocol)}${scheme};q=0.${weightMax - i}`;
  });
  return [...offers, `*/*;q=0.${weightMax - known.length}`].join(',');
}

function protocolsOf({ scrapeProtocols, scrapeNativeHistograms }: ProtocolSettings): readonly string[] {
  if (scrapeProtocols.length > 0) return scrapeProtocols;
  return scrapeNativeHistograms ? ['PrometheusProto', ...textProtocols] : textProtocols;
}

function escapingScheme({ nameEscapingScheme, nameValidationScheme }: ProtocolSettings): string {
  if (nameEscapingScheme !== '') return nameEscapingScheme;
  return nameValidationScheme === 'legacy' ? 'underscores' : 'allow-utf-8';
}
