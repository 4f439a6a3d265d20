// A label set as bytes: name, value, name, value, … in the order of labels, each its length (uvarint) and UTF-8.

import { CorruptionError } from './errors.ts';
import { Labels } from './labels.ts';

export function encodeLabels({ flat }: Labels): Uint8Array {
  const lengths = flat.map((text) => Buffer.byteLength(text));
  const bytes = Buffer.allocUnsafeSlow(
    lengths.reduce((sum, length) => sum + uvarintBytes(length) + length, 0),
  );
  let at = 0;
  for (const [i, text] of flat.entries()) {
    at = putUvarint(bytes, at, lengths[i]!);
    at += bytes.write(text, at);
  }
  return bytes;
}

/** The text of source[from, to). */
type TextOf = (source: Uint8Array, from: number, to: number) => string;

const decodedText: TextOf = (source, from, to) =>
  Buffer.from(source.buffer, source.byteOffset + from, to - from).toString();

/**
 * Throws CorruptionError for what encodeLabels does not write; order and uniqueness of names are the writer's promise.
 * `textOf`: for callers that know some texts already.
 */
export function decodeLabels(source: Uint8Array, textOf: TextOf = decodedText): Labels {
  const flat: string[] = [];
  let at = 0;
  while (at < source.length) {
    let length = 0;
    for (let unit = 1; ; unit *= 128) {
      const byte = source[at++];
      if (byte === undefined || unit > 2 ** 28) throw damage(at, 'a length goes on beyond the end');
      length += (byte & 0x7f) * unit;
      if (byte < 0x80) break;
    }
    if (length > source.length - at) throw damage(at, `a text of ${length} bytes goes on beyond the end`);
    flat.push(textOf(source, at, at + length));
    at += length;
  }
  if (flat.length % 2 !== 0) throw damage(at, 'a name without a value');
  return Labels.fromSorted(flat);
}

/** The order of compareLabels, of two sets as encodeLabels gives them. */
export function compareLabelSets(a: Uint8Array, b: Uint8Array): number {
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    let aLength = a[i]! & 0x7f;
    for (let shift = 7; a[i++]! >= 0x80; shift += 7) aLength |= (a[i]! & 0x7f) << shift;
    let bLength = b[j]! & 0x7f;
    for (let shift = 7; b[j++]! >= 0x80; shift += 7) bLength |= (b[j]! & 0x7f) << shift;
    const common = Math.min(aLength, bLength);
    for (let k = 0; k < common; k++) if (a[i + k] !== b[j + k]) return a[i + k]! - b[j + k]!;
    if (aLength !== bLength) return aLength - bLength;
    i += common;
    j += common;
  }
  return a.length - i - (b.length - j);
}

function damage(at: number, reason: string): CorruptionError {
  return new CorruptionError('label set', at, reason);
}

function uvarintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest >>>= 7) bytes++;
  return bytes;
}

function putUvarint(bytes: Buffer, from: number, value: number): number {
  let at = from;
  let rest = value;
  for (; rest >= 0x80; rest >>>= 7) bytes[at++] = (rest & 0x7f) | 0x80;
  bytes[at++] = rest;
  return at;
}
