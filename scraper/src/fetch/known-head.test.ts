import { expect, test } from '@jest/globals';
import { KnownHead } from './known-head.ts';
import { parseHead } from './response-head.ts';

const date = 'Sat, 21 Nov 2026 19:00:00 GMT';
const later = 'Sun, 22 Nov 2026 20:01:02 GMT';

function head(lines: readonly string[]): string {
  return ['HTTP/1.1 200 OK', ...lines, '', ''].join('\r\n');
}

/** What a head of `before` says of `now`: its end and the length, or −1. */
function check(
  before: readonly string[],
  now: string,
  want: readonly [number, number] | -1 | undefined,
): void {
  const text = head(before);
  const known = KnownHead.of(parseHead(text), text);
  if (want === undefined) {
    expect(known).toBeUndefined();
    return;
  }
  const end = known!.match(Buffer.from(`..${now}body`, 'latin1'), 2);
  expect(end === -1 ? -1 : [end - 2, known!.length]).toEqual(want);
}

test('is the same but for its date and its length', () => {
  const lines = ['Content-Type: text/plain', `Date: ${date}`, 'Content-Length: 7'];
  const now = head(['Content-Type: text/plain', `Date: ${later}`, 'Content-Length: 123456789012345']);
  check(lines, now, [now.length, 123_456_789_012_345]);
  check(lines, head(lines), [head(lines).length, 7]);
  check(lines, head(lines).replace('plain', 'Plain'), -1);
  check(lines, head(lines).replace('OK', 'NO'), -1);
  check(lines, head(lines).replace('200', '500'), -1);
  check(lines, head(lines).replace(': 7', ': '), -1);
  check(lines, head(lines).replace(': 7', ': -7'), -1);
  check(lines, head(lines).replace(': 7', ': 1234567890123456'), -1);
  check(lines, head(lines).replace(date, `${date} `), -1);
  check(lines, head(lines).replace(date, `${date.slice(0, 28)}\n`), -1);
  check(lines, head([...lines, 'Content-Length: 8']), -1);
  check(lines, head([...lines, 'Connection: close']), -1);
});

test('may be chunked, or without a date', () => {
  const chunked = head(['Transfer-Encoding: chunked']);
  check(['Transfer-Encoding: chunked'], chunked, [chunked.length, NaN]);
  check(['content-length: 0'], head(['content-length: 10']), [head(['content-length: 10']).length, 10]);
});

test('is not remembered where that is of no use, or what it says is odd', () => {
  check([], '', undefined);
  check(['Content-Length: 7', 'Content-Length: 7'], '', undefined);
  check(['Transfer-Encoding: chunked', 'Content-Length: 7'], '', undefined);
  check(['Content-Length: 7', `X: ${'x'.repeat(2000)}`], '', undefined);
});

test('needs all of the head to be there', () => {
  const text = head(['Content-Length: 7']);
  const known = KnownHead.of(parseHead(text), text)!;
  for (let length = 0; length < text.length; length++)
    expect(known.match(Buffer.from(text.slice(0, length)), 0)).toBe(-1);
  expect(known.match(Buffer.from(text), 0)).toBe(text.length);
  expect(known.head.headers).toEqual({});
});
