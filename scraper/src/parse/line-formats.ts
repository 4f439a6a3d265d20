// The formats of a body of lines, and their parsers.

import type { LineCursor } from './line-cursor.ts';
import { OpenMetricsParser } from './open-metrics-parser.ts';
import { type TextFormat, TextParser } from './text-parser.ts';

export type LineFormat = TextFormat | 'openmetrics';

export function lineParser(format: LineFormat): LineCursor {
  return format === 'openmetrics' ? new OpenMetricsParser() : new TextParser(format);
}
