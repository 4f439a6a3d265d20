import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { DROPPED, LineCache, LineScanner, NO_ENTRY } from './line-cache.ts';

interface Seen {
  samples: [ref: number, value: number][];
  unknown: string[];
  missing: number[];
  dropped: number;
}

/** A target as a scraper treats it: every unknown sample line gets the ref of its series text, comments are dropped. */
class Target {
  readonly scanner: LineScanner;
  readonly cache: LineCache;
  readonly refs = new Map<string, number>();
  readonly drop = new Set<string>();

  constructor(partBytes?: number) {
    this.scanner = new LineScanner(partBytes);
    this.cache = new LineCache(this.scanner);
  }

  scan(body: string | Uint8Array): Seen {
    const bytes = Buffer.from(body);
    this.cache.scan(bytes);
    const { refs, values, missing } = this.scanner;
    const seen: Seen = {
      samples: Array.from(refs, (ref, i) => [ref, values[i]!]),
      unknown: [],
      missing: [...missing],
      dropped: this.scanner.droppedCount,
    };
    for (let i = 0; i < this.scanner.unknownCount; i++) {
      const { start, end } = this.scanner.unknown(i);
      seen.unknown.push(bytes.toString('latin1', start, end));
    }
    return seen;
  }

  /** Parses and learns the unknown lines, and commits. */
  accept(body: string): Seen {
    const seen = this.scan(body);
    for (const [i, line] of seen.unknown.entries()) {
      const series = /^([^ ]+) [^ ]+$/.exec(line)?.[1];
      if (line.startsWith('#')) this.cache.learn(this.scanner.unknown(i).entry, DROPPED);
      else if (series !== undefined) this.cache.learn(this.scanner.unknown(i).entry, this.refOf(series));
    }
    this.cache.commit();
    return seen;
  }

  refOf(series: string): number {
    if (this.drop.has(series)) return DROPPED;
    if (!this.refs.has(series)) this.refs.set(series, this.refs.size + 1);
    return this.refs.get(series)!;
  }
}

describe('a line cache', () => {
  test('knows lines that it has learned, in any order', () => {
    const target = new Target();
    const first = target.accept('# HELP a b\na 1\nb{x="y"} 2\n');
    expect(first).toEqual({
      samples: [],
      unknown: ['# HELP a b', 'a 1', 'b{x="y"} 2'],
      missing: [],
      dropped: 0,
    });
    expect(target.accept('# HELP a b\na 3\nb{x="y"} 4\n').samples).toEqual([
      [1, 3],
      [2, 4],
    ]);
    expect(target.accept('b{x="y"} 5\n# HELP a b\na 6').samples).toEqual([
      [2, 5],
      [1, 6],
    ]);
    expect(target.accept('b{x="y"} 7\n# HELP a b\na 8').unknown).toEqual([]);
  });

  test('reports what is missing, once', () => {
    const target = new Target();
    target.accept('a 1\nb 1\nc 1\n');
    expect(target.accept('a 1\nc 1\n').missing).toEqual([2]);
    expect(target.accept('a 1\nc 1\n').missing).toEqual([]);
    expect(target.accept('c 1\n').missing).toEqual([1]);
    expect(target.accept('').missing).toEqual([3]);
    expect(target.accept('a 1\n').unknown).toEqual(['a 1']);
  });

  test('takes nothing of what lay behind a shorter body that ends without a newline', () => {
    const target = new Target();
    target.accept('a 1\nb 2\nc 3\n');
    expect(target.accept('a 1\nb 2\nc 3\n').samples).toHaveLength(3);
    const seen = target.scan('a 1\nb 2');
    expect(seen.samples).toEqual([
      [1, 1],
      [2, 2],
    ]);
    expect(seen.missing).toEqual([3]);
  });

  test('counts dropped series and skips dropped comments', () => {
    const target = new Target();
    target.drop.add('b');
    target.accept('# x\na 1\nb 1\n');
    expect(target.accept('# x\na 1\nb 2\n')).toEqual({
      samples: [[1, 1]],
      unknown: [],
      missing: [],
      dropped: 1,
    });
    expect(target.accept('# x\na 1\n').missing).toEqual([]);
    expect(target.accept('# y\na 1\n').unknown).toEqual(['# y']);
  });

  test('leaves everything out of the ordinary to the caller, with what it knows', () => {
    const target = new Target();
    target.accept('a 1\nb 1\n');
    for (const value of [
      '1 1700000000000',
      '0x10',
      '1_0',
      '+1',
      '.5',
      '',
      '1 ',
      '1e',
      'nan',
      '12345678901234567890',
      '-NaN',
    ]) {
      expect(target.scan(`a ${value}\nb 2\n`)).toMatchObject({
        samples: [[2, 2]],
        unknown: [`a ${value}`],
        missing: [],
      });
      expect(target.scanner.unknown(0).ref).toBe(1);
    }
    for (const line of ['a\t1', ' a 1', 'nothing', '{"x" 1', 'a  1', 'a 1\r']) {
      expect(target.scan(`${line}\nb 2\n`).unknown).toEqual([line]);
    }
    expect(target.scan('nothing').unknown).toEqual(['nothing']);
    expect(target.scanner.unknown(0).entry).toBe(NO_ENTRY);
  });

  test('takes spaces, braces and quotes inside of label values', () => {
    const target = new Target();
    const bodies = ['a{x="} 1", y="\\" {"} 2', '{"my.metric", a="b c"} 3', 'a{x="é\\\\"} 4'];
    for (const body of bodies) {
      const { entry } = (target.scan(body), target.scanner.unknown(0));
      target.cache.learn(entry, 9);
      target.cache.commit();
      expect(target.scan(body).samples).toEqual([[9, Number(body.at(-1))]]);
    }
  });

  test('changes nothing without commit', () => {
    const target = new Target();
    target.accept('a 1\nb 1\n');
    target.scan('c 1\n');
    expect(target.scan('a 1\nb 1\n')).toMatchObject({ unknown: [], missing: [] });
    target.cache.commit();
    expect(() => target.cache.commit()).toThrow('BUG');
  });

  test('gives all refs once when a scrape failed, and no missing ones after', () => {
    const target = new Target();
    target.accept('a 1\nb 1\n');
    target.scan('a 1\nc 1\n');
    expect([...target.cache.takeAbsent()]).toEqual([1, 2]);
    expect([...target.cache.takeAbsent()]).toEqual([]);
    expect(target.accept('b 2\n')).toMatchObject({ samples: [[2, 2]], missing: [] });
    expect(target.accept('').missing).toEqual([2]);
  });

  test('forgets everything on clear', () => {
    const target = new Target();
    target.accept('a 1\n');
    target.cache.clear();
    expect(target.accept('a 1\n')).toMatchObject({ unknown: ['a 1'], missing: [] });
  });

  test('keeps targets apart', () => {
    const one = new Target();
    const other = new LineCache(one.scanner);
    one.accept('a 1\n');
    other.scan(Buffer.from('a 2\n'));
    expect(one.scanner.unknownCount).toBe(1);
    other.close();
    expect(one.scan('a 3').samples).toEqual([[1, 3]]);
  });
});

describe('values', () => {
  function check(text: string): void {
    const target = new Target();
    target.accept('a 1\n');
    const { samples, unknown } = target.scan(`a ${text}\n`);
    if (unknown.length === 0) expect(samples).toEqual([[1, Number(text.replace('Inf', 'Infinity'))]]);
    else expect(text).toMatch(/\d{20}|e-3[0-9]{2}|^\d\.\d+e-29/);
  }

  test('are correctly rounded', () => {
    for (const text of [
      '0',
      '-0',
      '1',
      '007',
      '1.',
      '1e22',
      '1e23',
      '9007199254740993',
      '4.393298185e+09',
      '1E5',
    ])
      check(text);
    for (const text of [
      '2.2250738585072014e-308',
      '1.7976931348623157e308',
      '1e309',
      '0.1',
      '8.5e-7',
      '1e-400',
    ])
      check(text);
    for (const text of ['9007199254740992.5', '7.2057594037927933e16', 'Inf', '+Inf', '-Inf', 'NaN'])
      check(text);
    fc.assert(
      fc.property(fc.double({ noDefaultInfinity: true, noNaN: true }), (n) => check(String(n))),
      { seed: 5, numRuns: 500 },
    );
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: -40, max: 40 }), (n, e) => check(`${n}e${e}`)),
      { seed: 6 },
    );
  });

  test('are the ordinary NaN for NaN', () => {
    const target = new Target();
    target.accept('a 1\n');
    target.scan('a NaN\n');
    expect(new BigUint64Array(target.scanner.values.slice().buffer)[0]).toBe(0x7ff8000000000001n);
  });
});

describe('hostile bodies', () => {
  const line = fc.oneof(
    fc.constantFrom('a 1', 'b 2', 'c{x="1"} 3', '# c', '', 'a 1 5', 'x', 'b  2', 'c{x="1" 3', 'é 1'),
    fc.string({ maxLength: 12 }).map((s) => s.replaceAll('\n', ' ')),
  );
  const body = fc.array(line, { maxLength: 30 }).map((lines) => lines.join('\n'));

  test('every line of every body is a sample, dropped, a skipped comment, empty, or unknown', () => {
    const property = fc.property(fc.array(body, { minLength: 1, maxLength: 6 }), (bodies) => {
      const target = new Target();
      for (const text of bodies) {
        const seen = target.accept(text);
        const bytes = Buffer.from(text).toString('latin1');
        const lines = bytes.split('\n').filter((part) => part !== '');
        const comments = lines.filter((part) => part.startsWith('#')).length;
        const known = seen.samples.length + seen.unknown.length;
        expect(known).toBeLessThanOrEqual(lines.length);
        expect(known).toBeGreaterThanOrEqual(lines.length - comments);
        const left = [...lines];
        for (const unknown of seen.unknown) {
          const at = left.indexOf(unknown);
          expect(at).toBeGreaterThanOrEqual(0);
          left.splice(at, 1);
        }
      }
      target.cache.close();
    });
    fc.assert(property, { seed: 11, numRuns: 150 });
  });

  test('noise never traps, and offsets stay inside', () => {
    const target = new Target();
    const noise = fc.uint8Array({ maxLength: 400 });
    const nasty = fc.array(fc.constantFrom(10, 32, 34, 35, 92, 123, 125, 48, 46, 101, 255), {
      maxLength: 300,
    });
    const property = fc.property(
      fc.oneof(
        noise,
        nasty.map((bytes) => Uint8Array.from(bytes)),
      ),
      (bytes) => {
        target.cache.scan(bytes);
        for (let i = 0; i < target.scanner.unknownCount; i++) {
          const { start, end, entry } = target.scanner.unknown(i);
          expect(start).toBeLessThan(end);
          expect(end).toBeLessThanOrEqual(bytes.length);
          target.cache.learn(entry, 1 + i);
        }
        target.cache.commit();
      },
    );
    fc.assert(property, { seed: 13, numRuns: 1500 });
  });

  test('a hundred thousand equal lines cost no more than different ones', () => {
    const target = new Target();
    const equal = 'a 1\n'.repeat(100_000);
    target.accept(equal);
    target.accept(`b 1\n${equal}`);
    target.accept('a 1\nb 1\n'.repeat(50_000));
    expect(target.accept(equal).samples).toHaveLength(100_000);
  });

  test('are the same in parts of any size', () => {
    const property = fc.property(
      fc.array(body, { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 1, max: 40 }),
      (bodies, partBytes) => {
        const [whole, parts] = [new Target(), new Target(partBytes)];
        for (const text of bodies) expect(parts.accept(text)).toEqual(whole.accept(text));
      },
    );
    fc.assert(property, { seed: 17, numRuns: 150 });
  });

  test('may have a line that is longer than a part, and many parts', () => {
    const target = new Target();
    const text = `a 1\n# ${'x'.repeat(300_000)}\n${'b 2\nc{d="e"} 3\n'.repeat(20_000)}`;
    target.accept(text);
    const { samples, unknown } = target.accept(text);
    expect([samples.length, unknown]).toEqual([40_001, []]);
  });
});

test('values of digits are read as numbers are, however long they are', () => {
  const target = new Target();
  let state = 1;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const texts = ['0', '00', '00000001', '12345678', '123456789', '99999999', '-1', '1e3', '0.5'];
  for (let i = 0; i < 2000; i++) texts.push(String(random(10 ** (1 + random(9)))));
  const body = texts.map((text, i) => `m${i} ${text}\n`).join('');
  target.accept(body);
  expect(target.accept(body).samples.map(([, value]) => value)).toEqual(texts.map(Number));
  const odd = ['1:', '12/', '123456789012345678x', '1\r', '7 ', '12345678:'].map(
    (text, i) => `m${i} ${text}`,
  );
  expect(target.scan(odd.join('\n')).samples).toEqual([]);
  expect(target.scan('m0 12345678').samples.map(([, value]) => value)).toEqual([12_345_678]);
});
