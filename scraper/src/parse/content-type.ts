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
  const { type, version } = typeof media === 'string' ? noMedia : media;
  const isTooNew = type === 'application/openmetrics-text' && version === '2.0.0';
  const format = isTooNew ? undefined : FORMATS.get(type);
  const chosen = format ?? PROTOCOLS.get(fallbackProtocol);
  if (chosen !== undefined) return chosen;
  throw new ParseError(reason(contentType, media, isTooNew));
}

const noMedia = { type: '', version: undefined };

interface MediaType {
  /** Lower-case type/subtype. */
  readonly type: string;
  readonly version: string | undefined;
}

const token = "[!#$%&'*+.^_`|~0-9a-zA-Z-]+";
const typePattern = new RegExp(`^\\s*(${token})(?:(/)(${token})?)?\\s*(.*)$`, 's');
const parameterPattern = new RegExp(
  `;\\s*(${token})\\s*=\\s*(?:(${token})|"((?:[^"\\\\]|\\\\.)*)")\\s*`,
  'y',
);

/** Of a header (RFC 9110 §8.3.1); or why it is none, in Go's words. */
function parseMediaType(contentType: string): MediaType | string {
  const semicolon = contentType.indexOf(';');
  const [essence, rest] =
    semicolon < 0 ? [contentType, ''] : [contentType.slice(0, semicolon), contentType.slice(semicolon)];
  const [, type, slash, subtype, more] = typePattern.exec(essence) ?? [];
  if (type === undefined) return 'mime: no media type';
  if (slash === undefined && more !== '') return 'mime: expected slash after first token';
  if (slash !== undefined && subtype === undefined) return 'mime: expected token after slash';
  if (more !== '') return 'mime: unexpected content after media subtype';
  const parameters = parseParameters(rest);
  if (typeof parameters === 'string') return parameters;
  return { type: essence.trim().toLowerCase(), version: parameters.get('version') };
}

function parseParameters(text: string): ReadonlyMap<string, string> | string {
  const parameters = new Map<string, string>();
  // A lone semicolon at the end is let pass.
  for (let at = 0; !/^\s*;?\s*$/.test(text.slice(at)); at = parameterPattern.lastIndex) {
    parameterPattern.lastIndex = at;
    const match = parameterPattern.exec(text);
    if (match === null) return 'mime: invalid media parameter';
    const name = match[1]!.toLowerCase();
    if (parameters.has(name)) return 'mime: duplicate parameter name';
    parameters.set(name, match[2] ?? match[3]!.replace(/\\(.)/g, '$1'));
  }
  return parameters;
}

function reason(contentType: string, media: MediaType | string, isTooNew: boolean): string {
  if (contentType === '') {
    return 'non-compliant scrape target sending blank Content-Type and no fallback_scrape_protocol specified for target';
  }
  const shown = goQuote(contentType.slice(0, shownLength));
  if (typeof media === 'string') {
    return `cannot parse Content-Type ${shown} and no fallback_scrape_protocol for target\n${media}`;
  }
  if (isTooNew) {
    return `received OpenMetrics 2.0 Content-Type ${shown}, but the openmetrics2 feature flag is not enabled and no fallback_scrape_protocol specified for target`;
  }
  return `received unsupported Content-Type ${shown} and no fallback_scrape_protocol specified for target`;
}
