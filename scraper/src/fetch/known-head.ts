// Hot: heads that were parsed before, by their bytes. A target says the same each time, but for its clock and the length of the
// page: what differs from what is known in nothing else means the same, and is not parsed.
//
// Most targets of a shard say the same, too: they share what is known.

import type { ResponseHead } from './response-head.ts';

/** Stand in a template for a byte of a date, and for the digits of a length. No head may have them. */
const DATE_BYTE = 1;
const DIGITS = 2;
const datePattern = /(\r?\ndate: )([\x20-\x7e]{29})(?=\r?\n)/i;
const lengthPattern = /(\r?\ncontent-length: )(\d{1,15})(?=\r?\n)/i;

const knownMax = 256;
const lengthMax = 1024;
const known = new Map<string, KnownHead>();

export class KnownHead {
  /** Its headers lack what may differ. */
  readonly head: ResponseHead;
  /** Of the head that was matched last: bytes of the body, NaN where it does not say. */
  length = NaN;
  readonly #template: Uint8Array;

  private constructor(head: ResponseHead, template: string) {
    const { date: _date, 'content-length': _length, ...headers } = head.headers;
    this.head = { ...head, headers };
    this.#template = Buffer.from(template, 'latin1');
  }

  /** Of a head and its text; undefined where remembering it is of no use. */
  static of(head: ResponseHead, text: string): KnownHead | undefined {
    if (head.status !== 200 || text.length > lengthMax || head.framing === 'close') return undefined;
    const dated = text.replace(
      datePattern,
      (_, name: string, date: string) => name + '\x01'.repeat(date.length),
    );
    const template = typeof head.framing === 'number' ? dated.replace(lengthPattern, '$1\x02') : dated;
    if (template.includes('\x02') !== (typeof head.framing === 'number') || lengthPattern.test(template))
      return undefined;
    const before = known.get(template);
    if (before !== undefined) return before;
    if (known.size >= knownMax) known.clear();
    const fresh = new KnownHead(head, template);
    known.set(template, fresh);
    return fresh;
  }

  /** Where this head ends that begins at `at`; −1 if it is another, or not all of it is there. */
  match(bytes: Uint8Array, at: number): number {
    const template = this.#template;
    if (bytes.length - at < template.length) return -1;
    this.length = NaN;
    let p = at;
    for (let i = 0; i < template.length; i++) {
      const want = template[i]!;
      if (want === DIGITS) p = this.#digits(bytes, p);
      else if (want === DATE_BYTE ? !isShown(bytes[p]!) : bytes[p] !== want) return -1;
      else p++;
      if (p < 0 || p > bytes.length) return -1;
    }
    return p;
  }

  /** Where the digits end; −1 if there are none, or too many. */
  #digits(bytes: Uint8Array, at: number): number {
    let length = 0;
    let p = at;
    for (; p < bytes.length; p++) {
      const digit = bytes[p]! - 48;
      if (digit < 0 || digit > 9) break;
      length = 10 * length + digit;
    }
    this.length = length;
    return p === at || p - at > 15 ? -1 : p;
  }
}

function isShown(byte: number): boolean {
  return byte >= 0x20 && byte <= 0x7e;
}
