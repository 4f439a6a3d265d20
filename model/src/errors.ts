// The four kinds of failure, by whose move comes next: the caller's, the disk owner's, nobody's (try again), or ours.
//
// Messages are lower case, carry values, and chain their cause, so that an API can print them as they are.

/** The caller's fault: HTTP 400. */
export class BadRequest extends Error {
  override readonly name = 'BadRequest';
}

/** Damage on disk or on the wire, at a byte of a file or stream. Quarantine it; do not retry. */
export class CorruptionError extends Error {
  override readonly name = 'CorruptionError';
  readonly path: string;
  readonly offsetBytes: number;

  constructor(path: string, offsetBytes: number, detail: string, options?: ErrorOptions) {
    super(`${path}: offset ${offsetBytes}: ${detail}`, options);
    this.path = path;
    this.offsetBytes = offsetBytes;
  }
}

/** Not now: HTTP 503. The same request may succeed later. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
}

/** Our bug if it fails: throws `BUG: message`, which must end the process. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`BUG: ${message}`);
}
