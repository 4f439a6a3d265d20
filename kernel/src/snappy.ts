// Hot: snappy blocks, once per WAL record read. Writing them is part of framing: see head-kernel.ts.

import { type KernelInstance, sharedInstance } from './instance.ts';

/** A block of WASM memory that grows to what is asked for. */
class Buffer {
  at = 0;
  private capacity = 0;

  reserve(kernel: KernelInstance, bytes: number): void {
    if (bytes <= this.capacity) return;
    kernel.exports.free(this.at, this.capacity);
    this.capacity = kernel.exports.capacityOf(bytes) >>> 0;
    this.at = kernel.exports.alloc(this.capacity) >>> 0;
  }
}

const input = new Buffer();
const output = new Buffer();

/** A copy: the block for `bytes`. */
export function compressSnappy(bytes: Uint8Array): Uint8Array {
  const kernel = sharedInstance();
  input.reserve(kernel, bytes.length);
  output.reserve(kernel, kernel.exports.snappyBound(bytes.length) >>> 0);
  kernel.bytes.set(bytes, input.at);
  const length = kernel.exports.snappyCompress(input.at, bytes.length, output.at) >>> 0;
  return kernel.bytes.slice(output.at, output.at + length);
}

/**
 * The content of a whole block of at most `bytesMax` bytes, as a view that is valid until the next call; undefined if
 * the block is damaged or promises more. Safe on hostile bytes.
 */
export function uncompressSnappy(block: Uint8Array, bytesMax: number): Uint8Array | undefined {
  const kernel = sharedInstance();
  const { exports } = kernel;
  input.reserve(kernel, block.length);
  kernel.bytes.set(block, input.at);
  const promised = exports.snappyLength(input.at, block.length);
  if (promised < 0 || promised > bytesMax) return undefined;
  output.reserve(kernel, promised + exports.SNAPPY_SLACK.value);
  const length = exports.snappyUncompress(input.at, block.length, output.at, promised);
  return length < 0 ? undefined : kernel.bytes.subarray(output.at, output.at + length);
}
