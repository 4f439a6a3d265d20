// Which exposition format an answer is in. Since Prometheus 3 a target must say so, or its job name a fallback.

import { goQuote } from '@flotilla/model';
import type { ExpositionFormat } from './line-parser.ts';
import { ParseError } from './parse-error.ts';

const FORMATS: ReadonlyMap<string, ExpositionFormat> = new Map([
  ['text/plain', 'text'],
  ['application/openmetrics-text', 'openmetrics'],
]);

const PROTOCOLS: ReadonlyMap<string, ExpositionFormat> = new Map([
  ['PrometheusText0.0.4', 'text'],
  ['PrometheusText1.0.0', 'text'],
  ['OpenMetricsText0.0.1', 'openmetrics'],
  ['OpenMetricsText1.0.0', 'openmetrics'],
]);

/** The format of an answer. `fallbackProtocol` is Prometheus's fallback_scrape_protocol or ''. Throws ParseError. */
export function expositionFormat(contentType: string, fallbackProtocol: string): ExpositionFormat {
  const mediaType = parseMediaType(contentType);
  const format = FORMATS.get(mediaType ?? '') ?? PROTOCOLS.get(fallbackProtocol);
  if (mediaType === 'application/vnd.google.protobuf') {
    throw new ParseError('received protobuf, which was not asked for, want text');
  }
  if (format !== undefined) return format;
  throw new ParseError(reason(contentType, mediaType));
}

/** Lower-case type/subtype, or undefined if the header is no media type. */
function parseMediaType(contentType: string): string | undefined {
  const mediaType = /^\s*([!#$%&'*+.^_`|~0-9a-z-]+\/[!#$%&'*+.^_`|~0-9a-z-]+)\s*(;.*)?$/i.exec(contentType);
  return mediaType?.[1]?.toLowerCase();
}

function reason(contentType: string, mediaType: string | undefined): string {
  if (contentType === '') {
    return 'non-compliant scrape target sending blank Content-Type and no fallback_scrape_protocol specified for target';
  }
  const shown = goQuote(contentType.slice(0, 200));
  return mediaType === undefined
    ? `cannot parse Content-Type ${shown} and no fallback_scrape_protocol for target`
    : `received unsupported Content-Type ${shown} and no fallback_scrape_protocol specified for target`;
}
