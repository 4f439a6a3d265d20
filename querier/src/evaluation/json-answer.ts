// Prometheus's envelope around what a job writes, in pieces, compressed if the client takes it.

import { JsonWriter } from '@flotilla/promql';
import type { QueryStats } from '@flotilla/promql';
import type { AnswerSink } from './job-context.ts';
import type { Notes } from './store-view.ts';

export interface JsonAnswer extends Notes {
  readonly gzip: boolean;
  readonly stats?: QueryStats;
}

/** Prometheus shows at most so many of each. */
const annotationsMax = 10;

/** Sends the envelope around what `write` writes, which yields when the writer is full. */
export async function sendJson(
  sink: AnswerSink,
  { gzip, stats, warnings, infos }: JsonAnswer,
  write: (writer: JsonWriter) => Iterable<undefined>,
): Promise<void> {
  const type = { 'Content-Type': 'application/json' };
  const headers = gzip ? { ...type, 'Content-Encoding': 'gzip' } : type;
  sink.begin({ headers, ...(stats !== undefined && { stats }) });
  const writer = new JsonWriter(gzip);
  try {
    writer.text('{"status":"success","data":');
    for (const _ of write(writer)) await sink.write(writer.take());
    writer.text(`${noteJson('warning', warnings)}${noteJson('info', infos)}}`);
    sink.end(writer.end());
  } finally {
    writer.drop();
  }
}

function noteJson(kind: 'warning' | 'info', notes: readonly string[]): string {
  if (notes.length === 0) return '';
  const unique = [...new Set(notes)];
  const more = unique.length - annotationsMax;
  const rest = more > 0 ? [`${more} more ${kind} annotations omitted`] : [];
  return `,"${kind}s":${JSON.stringify([...unique.slice(0, annotationsMax), ...rest])}`;
}
