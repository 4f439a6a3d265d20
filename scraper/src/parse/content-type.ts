// Which exposition format an answer is in. Since Prometheus 3 a target must say so, or its job name a fallback.

import { goQuote } from '@flotilla/model';
import { ParseError } from './parse-error.ts';

export type ExpositionFormat = 'text' | 'openmetrics' | 'protobuf';

const FORMATS: ReadonlyMap<string, ExpositionFormat> = new Map([
  ['text/plain', 'text'],
  ['application/openmetrics-text', 'openmetrics'],
  ['application/vnd.google.protobuf', 'protobuf'],
]);

const PROTOCOLS: ReadonlyMap<string, ExpositionFormat> = new Map([
  ['PrometheusProto', 'protobuf'],
  ['PrometheusText0.0.4', 'text'],
  ['PrometheusText1.0.0', 'text'],
  ['OpenMetricsText0.0.1', 'openmetrics'],
  ['OpenMetricsText1.0.0', 'openmetrics'],
]);

const shownLength = 200;

/** The format of an answer. `fallbackProtocol` is Prometheus's fallback_scrape_protocol or ''. Throws ParseError. */
export function expositionFormat(contentType: string, fallbackProtocol: string): ExpositionFormat {
  const media = parseMediaType(contentType);
  const isTooNew = media?.type === 'application/openmetrics-text' && media.version === '2.0.0';
  const format = isTooNew ? undefined : FORMATS.get(media?.type ?? '');
  const chosen = format ?? PROTOCOLS.get(fallbackProtocol);
  if (chosen !== undefined) return chosen;
  throw new ParseError(reason(contentType, media === undefined, isTooNew));
}

interface MediaType {
  /** Lower-case type/subtype. */
  readonly type: string;
  readonly version: string | undefined;
}

const token = "[!#$%&'*+.^_`|~0-9a-zA-Z-]+";
const mediaPattern = new RegExp(`^\\s*(${token}\\/${token})\\s*((?:;.*)?)$`, 's');
const parameterPattern = new RegExp(
  `;\\s*(${token})\\s*=\\s*(?:(${token})|"((?:[^"\\\\]|\\\\.)*)")\\s*`,
  'y',
);

/** undefined if the header is no media type (RFC 9110 §8.3.1). */
function parseMediaType(contentType: string): MediaType | undefined {
  const [, type, rest = ''] = mediaPattern.exec(contentType) ?? [];
  if (type === undefined) return undefined;
  const parameters = new Map<string, string>();
  let at = 0;
  while (at < rest.length) {
    parameterPattern.lastIndex = at;
    const match = parameterPattern.exec(rest);
    if (match === null) break;
    const name = match[1]!.toLowerCase();
    if (parameters.has(name)) return undefined;
    parameters.set(name, match[2] ?? match[3]!.replace(/\\(.)/g, '$1'));
    at = parameterPattern.lastIndex;
  }
  // A lone semicolon at the end is let pass, as by Go.
  if (!/^[;\s]*$/.test(rest.slice(at))) return undefined;
  return { type: type.toLowerCase(), version: parameters.get('version') };
}

function reason(contentType: string, isUnreadable: boolean, isTooNew: boolean): string {
  if (contentType === '') {
    return 'non-compliant scrape target sending blank Content-Type and no fallback_scrape_protocol specified for target';
  }
  const shown = goQuote(contentType.slice(0, shownLength));
  if (isUnreadable) return `cannot parse Content-Type ${shown} and no fallback_scrape_protocol for target`;
  if (isTooNew) {
    return `received OpenMetrics 2.0 Content-Type ${shown}, but the openmetrics2 feature flag is not enabled and no fallback_scrape_protocol specified for target`;
  }
  return `received unsupported Content-Type ${shown} and no fallback_scrape_protocol specified for target`;
}
