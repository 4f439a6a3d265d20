import { describe, expect, test } from '@jest/globals';
import type { ResponseHead } from './response-head.ts';
import { ResponseReader } from './response-reader.ts';

interface Outcome {
  readonly status: number | undefined;
  readonly body: string;
  /** 'ends', 'goes on', or the error. */
  readonly end: string;
  readonly isReusable: boolean;
}

/** Reads the pieces, and the close behind them. */
function read(pieces: readonly Buffer[], closes = false): Outcome {
  let head: ResponseHead | undefined;
  const body: Buffer[] = [];
  const reader = new ResponseReader({
    onHead: (one) => void (head = one),
    onData: (bytes) => void body.push(Buffer.from(bytes)),
  });
  let end = '';
  try {
    for (const piece of pieces) reader.push(piece);
    end = (closes ? reader.end() : reader.isDone) ? 'ends' : 'goes on';
  } catch (err) {
    end = (err as Error).message;
  }
  const isReusable = end === 'ends' && reader.isReusable;
  return { status: head?.status, body: Buffer.concat(body).toString('latin1'), end, isReusable };
}

function check(text: string, want: Partial<Outcome>, closes = false): void {
  expect(read([Buffer.from(text, 'latin1')], closes)).toMatchObject(want);
}

const ok = 'HTTP/1.1 200 OK\r\n';

describe('where a body ends', () => {
  test('by its length', () => {
    check(`${ok}Content-Length: 3\r\n\r\nabc`, { status: 200, body: 'abc', end: 'ends', isReusable: true });
    check(`${ok}content-length:0\r\n\r\n`, { body: '', end: 'ends', isReusable: true });
    check(`${ok}Content-Length: 4\r\n\r\nabc`, { body: 'abc', end: 'goes on' }, true);
    check(`${ok}Content-Length: 3\r\ncontent-length: 3\r\n\r\nabc`, { body: 'abc', end: 'ends' });
    for (const length of ['-1', '0x3', '3, 4', '3 ', '99999999999999999999', ''].filter(
      (one) => one !== '3 ',
    ))
      check(`${ok}Content-Length: ${length}\r\n\r\nabc`, { end: `bad Content-Length "${length}"` });
    check(`${ok}Content-Length: 3\r\nContent-Length: 4\r\n\r\n`, { end: 'bad Content-Length "3, 4"' });
  });

  test('by chunks', () => {
    const chunked = `${ok}Transfer-Encoding: chunked\r\n\r\n`;
    check(`${chunked}3\r\nabc\r\n10;x=y\r\n0123456789abcdef\r\n0\r\n\r\n`, {
      body: 'abc0123456789abcdef',
      end: 'ends',
      isReusable: true,
    });
    check(`${chunked}3\nabc\n0\n\n`, { body: 'abc', end: 'ends' });
    check(`${chunked}0\r\nX-Sum: 1\r\nY: 2\r\n\r\n`, { body: '', end: 'ends', isReusable: true });
    check(`${chunked}3\r\nabc\r\n`, { body: 'abc', end: 'goes on' }, true);
    for (const line of ['', 'x', '-1', '0x3', ' 3', '3 x', '3\r3', '1234567890abcd'])
      check(`${chunked}${line}\r\nabc`, { end: `chunk header ${JSON.stringify(`${line}\r\n`)}` });
    check(`${chunked}3\r\nabcd\r\n`, { end: 'no newline behind a chunk' });
    check(`${chunked}3\r\nabc\r\r\n`, { end: 'no newline behind a chunk' });
    check(`${ok}Transfer-Encoding: gzip, chunked\r\n\r\n`, {
      end: 'unsupported transfer encoding "gzip, chunked"',
    });
  });

  test('by both: chunks are right, and the connection is not used again', () => {
    check(`${ok}Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n`, {
      body: 'a',
      end: 'ends',
      isReusable: false,
    });
  });

  test('by the end of the connection', () => {
    check(`${ok}\r\nabc`, { body: 'abc', end: 'goes on' });
    check(`${ok}\r\nabc`, { body: 'abc', end: 'ends', isReusable: false }, true);
    check('HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3', { body: '3', end: 'ends' }, true);
  });

  test('at once, where there is none', () => {
    check('HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n', { status: 204, end: 'ends' });
    check('HTTP/1.1 304\r\n\r\n', { status: 304, end: 'ends' });
    check(`HTTP/1.1 100 Continue\r\n\r\n${ok}Content-Length: 1\r\n\r\nx`, { status: 200, body: 'x' });
  });
});

describe('a connection', () => {
  test('is used again, unless something speaks against it', () => {
    const body = 'Content-Length: 1\r\n\r\nx';
    check(`${ok}${body}`, { isReusable: true });
    check(`${ok}Connection: close\r\n${body}`, { end: 'ends', isReusable: false });
    check(`${ok}Connection: a, Close\r\n${body}`, { isReusable: false });
    check(`HTTP/1.0 200 OK\r\n${body}`, { isReusable: false });
    check(`HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n${body}`, { isReusable: true });
    check(`${ok}${body}more`, { body: 'x', isReusable: false });
  });
});

describe('what is no HTTP', () => {
  test('is refused as soon as it is seen', () => {
    check('SSH-2.0-x\r\n', { end: 'malformed HTTP response "SSH-2.0-x"' });
    check('HTTP/2 200\r\n\r\n', { end: 'malformed HTTP response "HTTP/2 200"' });
    check('HTTP/1.1 20 OK\r\n\r\n', { end: 'malformed HTTP response "HTTP/1.1 20 OK"' });
    check('\r\n', { end: 'malformed HTTP response ""' });
    check('HTTP/1.1 101 x\r\n\r\n', { end: 'unasked switch of protocols' });
    check('HTTP/1.1 100 x\r\n\r\n'.repeat(6), { end: 'too many 1xx responses' });
  });

  test('is refused in a header, too', () => {
    for (const line of ['a', 'a b: c', ': c', ' a: b', 'a: b\0c', 'a: b\rc', 'a\0: b', 'ä: b'])
      check(`${ok}${line}\r\n\r\n`, { end: `malformed header ${JSON.stringify(line)}` });
  });

  test('is refused when it does not end', () => {
    check(`${ok}${'a: b\r\n'.repeat(20_000)}`, { end: 'head of more than 65536 bytes' });
    check(`${ok}a: ${'x'.repeat(100_000)}`, { end: 'head of more than 65536 bytes' });
    const chunked = `${ok}Transfer-Encoding: chunked\r\n\r\n`;
    check(`${chunked}3;${'x'.repeat(5000)}`, { end: 'chunk header of more than 4096 bytes' });
    check(`${chunked}0\r\n${'a: b\r\n'.repeat(20_000)}`, { end: 'trailers of more than 65536 bytes' });
    check(`${chunked}${`1;${'x'.repeat(1000)}\r\na\r\n`.repeat(20)}`, { end: 'chunks with too little data' });
  });
});

describe('fuzz', () => {
  let state = 1;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const text = (length: number): string =>
    Array.from({ length }, () => String.fromCharCode(random(256))).join('');

  function body(): { framed: string; plain: string } {
    const parts = Array.from({ length: random(6) }, () => text(1 + random(200)));
    const plain = parts.join('');
    if (random(2) === 0) return { framed: `Content-Length: ${plain.length}\r\n\r\n${plain}`, plain };
    const chunks = parts.map(
      (part) => `${part.length.toString(16)}${random(2) ? ';a=b' : ''}\r\n${part}\r\n`,
    );
    const trailer = random(2) === 0 ? 'X: y\r\n' : '';
    return { framed: `Transfer-Encoding: chunked\r\n\r\n${chunks.join('')}0\r\n${trailer}\r\n`, plain };
  }

  function pieces(bytes: Buffer): Buffer[] {
    const out: Buffer[] = [];
    for (let at = 0; at < bytes.length;) {
      const size = 1 + random(random(4) === 0 ? 3 : 100);
      out.push(bytes.subarray(at, at + size));
      at += size;
    }
    return out;
  }

  test('whatever the pieces are, the answer is one', () => {
    for (let round = 0; round < 500; round++) {
      const { framed, plain } = body();
      const bytes = Buffer.from(`${ok}${framed}`, 'latin1');
      expect(read(pieces(bytes))).toEqual({ status: 200, body: plain, end: 'ends', isReusable: true });
    }
  });

  test('damage gives the same end in whatever pieces it comes', () => {
    for (let round = 0; round < 2000; round++) {
      const bytes = Buffer.from(`${ok}${body().framed}`, 'latin1');
      for (let k = 0; k <= random(3); k++) bytes[random(bytes.length)] = random(256);
      const whole = read([bytes], true);
      const inPieces = read(pieces(bytes), true);
      expect([inPieces.status, inPieces.body]).toEqual([whole.status, whole.body]);
      expect(inPieces.end === 'ends').toBe(whole.end === 'ends');
    }
  });
});
