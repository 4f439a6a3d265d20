import { expect, test } from '@jest/globals';
import { expositionFormat } from './content-type.ts';

test('the media type decides, then the fallback', () => {
  expect(expositionFormat('text/plain', '')).toBe('text');
  expect(expositionFormat('text/plain; version=0.0.4; charset=utf-8', '')).toBe('text');
  expect(expositionFormat('Application/OpenMetrics-Text; version=1.0.0', '')).toBe('openmetrics');
  expect(expositionFormat('', 'PrometheusText0.0.4')).toBe('text');
  expect(expositionFormat('application/vnd.google.protobuf;encoding=delimited', '')).toBe('protobuf');
  expect(expositionFormat('application/openmetrics-text; version="1.0.0";', '')).toBe('openmetrics');
  expect(expositionFormat('application/openmetrics-text; version=2.0.0', 'PrometheusProto')).toBe('protobuf');
  expect(expositionFormat('text/html', 'OpenMetricsText1.0.0')).toBe('openmetrics');
  expect(expositionFormat('text/plain', 'OpenMetricsText1.0.0')).toBe('text');
});

test('without either, the scrape fails and says why', () => {
  const check = (contentType: string, want: string): void =>
    expect(() => expositionFormat(contentType, '')).toThrow(want);
  check(
    '',
    'non-compliant scrape target sending blank Content-Type and no fallback_scrape_protocol specified',
  );
  check(
    'text/html',
    'received unsupported Content-Type "text/html" and no fallback_scrape_protocol specified',
  );
  check('nonsense', 'received unsupported Content-Type "nonsense" and no fallback_scrape_protocol specified');
  const unreadable = (contentType: string, why: string): void =>
    check(
      contentType,
      `cannot parse Content-Type "${contentType}" and no fallback_scrape_protocol for target\n${why}`,
    );
  unreadable('non sense', 'mime: expected slash after first token');
  unreadable('text/', 'mime: expected token after slash');
  unreadable('text/plain x', 'mime: unexpected content after media subtype');
  unreadable('text/plain; x', 'mime: invalid media parameter');
  unreadable(';x=y', 'mime: no media type');
  check(
    'application/openmetrics-text; version=2.0.0',
    'received OpenMetrics 2.0 Content-Type "application/openmetrics-text; version=2.0.0", but the openmetrics2',
  );
  unreadable('text/plain; version=1; version=2', 'mime: duplicate parameter name');
});
