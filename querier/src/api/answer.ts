// Sending answers of the API: Prometheus's envelope, the completeness header, warnings for what is missing, pieces with backpressure.

import { ApiError, drained } from '@flotilla/chassis';
import type { Request, Response } from '@flotilla/chassis';
import { JsonWriter } from '@flotilla/promql';
import { COMPLETENESS_HEADER } from '@flotilla/wire';
import type { Completeness } from '@flotilla/wire';
import { holes, lonely } from '../stores/completeness-recorder.ts';

/** A client that takes nothing for so long is cut off. */
export const STALL_MS = 60_000;
/** Prometheus shows at most so many of each. */
const annotationsMax = 10;

export interface Notes {
  readonly warnings: readonly string[];
  readonly infos: readonly string[];
}

/** Sets the header. Throws 503 that names the shards when the answer has a hole and the caller takes no partial one. */
export function completenessNotes(
  response: Response,
  completeness: Completeness,
  allowPartial: boolean,
): Notes {
  response.setHeader(COMPLETENESS_HEADER, JSON.stringify(completeness).replaceAll(/[^\x20-\x7e]/g, '?'));
  const missing = holes(completeness);
  if (missing.length > 0 && !allowPartial) throw new ApiError('unavailable', missing.join('; '));
  return { warnings: [...missing, ...completeness.cut], infos: lonely(completeness) };
}

/** Writes the envelope around what `write` writes, which yields when the writer is full. Resolves when all is handed over, or the client has gone. */
export async function sendJson(
  request: Request,
  response: Response,
  write: (writer: JsonWriter) => Iterable<undefined>,
  notes: Notes,
): Promise<void> {
  const gzip = request.acceptsEncodings('gzip', 'identity') === 'gzip';
  response.status(200).setHeader('Content-Type', 'application/json');
  response.vary('Accept-Encoding');
  if (gzip) response.setHeader('Content-Encoding', 'gzip');
  const writer = new JsonWriter(gzip);
  try {
    writer.text('{"status":"success","data":');
    for (const _ of write(writer)) {
      if (response.destroyed) return;
      if (!response.write(writer.take())) await drained(response, STALL_MS);
    }
    writer.text(`${noteJson('warning', notes.warnings)}${noteJson('info', notes.infos)}}`);
    response.end(writer.end());
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

/** An abort signal that fires when the client goes before the answer is finished, or after `timeoutMs`. */
export function requestSignal(response: Response, timeoutMs: number): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished)
      gone.abort(new ApiError('canceled', 'query was canceled in query execution'));
  });
  return AbortSignal.any([gone.signal, AbortSignal.timeout(timeoutMs)]);
}
