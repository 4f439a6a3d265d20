// Inflates a gzip body, up to the size limit: a bomb stops there, while it is being inflated.
//
// Small bodies are inflated at once; larger ones in the thread pool, so that they hold up nothing. One output chunk of
// about the right size is worth 40 % of the time.

import { promisify } from 'node:util';
import { gunzip, gunzipSync, type ZlibOptions } from 'node:zlib';
import { errorCode } from '@flotilla/chassis';
import { BodySizeError, ScrapeError } from './scrape-error.ts';

const gunzipAsync = promisify(gunzip);
const syncBytesMax = 16 << 10;
const chunkBytesMax = 2 << 20;

/** `sizeHint` is the expected size of the result. Throws BodySizeError, or ScrapeError for bytes that are no gzip. */
export async function gunzipBody(bytes: Buffer, sizeMax: number, sizeHint: number): Promise<Buffer> {
  const options: ZlibOptions = {
    maxOutputLength: sizeMax,
    chunkSize: Math.min(chunkBytesMax, sizeMax, Math.max(16 << 10, sizeHint + 1024)),
  };
  try {
    return bytes.length <= syncBytesMax ? gunzipSync(bytes, options) : await gunzipAsync(bytes, options);
  } catch (err) {
    throw inflateError(err);
  }
}

function inflateError(err: unknown): ScrapeError {
  const code = errorCode(err);
  if (code === 'ERR_BUFFER_TOO_LARGE') return new BodySizeError();
  return new ScrapeError(code === 'Z_BUF_ERROR' ? 'unexpected EOF' : 'gzip: invalid data', { cause: err });
}
