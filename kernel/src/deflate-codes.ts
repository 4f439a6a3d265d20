// The prefix codes of answers: chosen once from what answers are made of, so that nobody need count first.
//
// Digits of noisy values are most of a matrix; what is around them repeats and becomes matches. Any codes give a sound
// stream (RFC 1951); these are only the ones that fit.

/** Codes as assembly/deflate.ts wants them, and the header of a block that announces them, which is not the stream's last. */
export interface DeflateCodes {
  readonly table: Uint8Array;
  readonly header: Uint8Array;
  /** The bits after the last whole byte of the header. */
  readonly bits: number;
  readonly bitCount: number;
}

/** What a gzip stream begins with. */
export const GZIP_HEADER = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 0xff);

const END = 256;
const ZERO = 48;
const LITERALS = 286;
const DISTANCES = 30;
const MATCH_MAX = 258;
/** What assembly/deflate.ts has room for between two stores. */
const BITS_MAX = 14;
/** Of anything that may come at all. */
const WEIGHT_MIN = 4;

/** For labels and points. */
export function pointCodes(): DeflateCodes {
  return codesFor(pointLiterals(), pointDistances());
}

/** For native histograms, and what is between them. */
export function histogramCodes(): DeflateCodes {
  return codesFor(histogramLiterals(), histogramDistances());
}

function codesFor(literalWeights: readonly number[], distanceWeights: readonly number[]): DeflateCodes {
  const literals = codeLengths(literalWeights);
  const distances = codeLengths(distanceWeights);
  return { table: codeTable(literals, distances), ...headerOf(literals, distances) };
}

function pointLiterals(): number[] {
  const weights = Array.from({ length: LITERALS }, () => WEIGHT_MIN);
  const set = (text: string, weight: number): void => {
    for (const char of text) weights[char.charCodeAt(0)] = weight;
  };
  set('abcdefghijklmnopqrstuvwxyz_', 24);
  set('-+e,:{}[]/', 40);
  set('"', 120);
  set('.', 900);
  set('0123456789', 1700);
  weights.fill(40, END + 1);
  // A match is mostly `"],[1700000000,"`, or that and some digits.
  weights.fill(250, 265, 269);
  return weights;
}

/** Near ones reach the point before, far ones the row before. */
function pointDistances(): number[] {
  return Array.from({ length: DISTANCES }, (_, symbol) => (symbol >= 20 ? 200 : symbol >= 8 ? 50 : 5));
}

/** A bucket that is not as in the histogram before is a match of its bounds and some digits; those that are make long matches. */
function histogramLiterals(): number[] {
  const weights = pointLiterals();
  weights.fill(900, 273, 276);
  weights.fill(250, 276, 285);
  weights[285] = 900;
  return weights;
}

/** The histogram before, with ten to hundreds of buckets of 30 to 60 bytes. */
function histogramDistances(): number[] {
  return Array.from({ length: DISTANCES }, (_, symbol) => (symbol >= 15 && symbol < 26 ? 200 : 10));
}

/** Huffman's, by symbol. */
function codeLengths(weights: readonly number[]): number[] {
  const lengths = weights.map(() => 0);
  let nodes = weights.map((weight, symbol) => ({ weight, symbols: [symbol] }));
  while (nodes.length > 1) {
    nodes = nodes.toSorted((a, b) => a.weight - b.weight);
    const [a, b] = [nodes[0]!, nodes[1]!];
    const symbols = [...a.symbols, ...b.symbols];
    for (const symbol of symbols) lengths[symbol]!++;
    nodes = [...nodes.slice(2), { weight: a.weight + b.weight, symbols }];
  }
  const longest = Math.max(...lengths);
  if (longest > BITS_MAX) throw new Error(`BUG: deflate: code of ${longest} bits, want at most ${BITS_MAX}`);
  return lengths;
}

/** Canonical codes, first bit lowest, as `code | bits << 24`. */
function codesOf(lengths: readonly number[]): number[] {
  const codes = lengths.map(() => 0);
  let code = 0;
  for (let bits = 1; bits <= BITS_MAX; bits++) {
    lengths.forEach((length, symbol) => {
      if (length === bits) codes[symbol] = reversed(code++, bits) | (bits << 24);
    });
    code <<= 1;
  }
  return codes;
}

function reversed(code: number, bits: number): number {
  let result = 0;
  for (let i = 0; i < bits; i++) result |= ((code >> i) & 1) << (bits - 1 - i);
  return result;
}

function codeTable(literals: readonly number[], distances: readonly number[]): Uint8Array {
  const codes = codesOf(literals);
  const matches = Array.from({ length: MATCH_MAX + 1 }, (_, length) =>
    length < 3 ? 0 : matchCode(length, codes),
  );
  const words = Uint32Array.from([
    ...codes.slice(0, END + 1),
    ...matches,
    ...codesOf(distances),
    ...digitPairs(codes),
    ...digitQuads(codes),
  ]);
  return new Uint8Array(words.buffer);
}

/** Of pairs of the bytes of plain numbers, by the low half of the first and that of the second * 16. */
function digitPairs(codes: readonly number[]): number[] {
  const chars = '0123456789???-.?'.split('');
  const one = chars.map((char) => (char === '?' ? 0 : codes[char.charCodeAt(0)]!));
  return Array.from({ length: 256 }, (_, pair) => {
    const [first, second] = [one[pair & 15]!, one[pair >> 4]!];
    const bits = first >>> 24;
    return ((first & 0xffffff) | ((second & 0xffffff) << bits)) + (((second >>> 24) + bits) << 24);
  });
}

/** Of 0000 to 9999: the text, and its codes in one. */
function digitQuads(codes: readonly number[]): number[] {
  const words: number[] = [];
  for (let quad = 0; quad < 10_000; quad++) {
    let [text, bits, bitCount] = [0, 0, 0];
    for (let i = 0; i < 4; i++) {
      const char = ZERO + (Math.floor(quad / 10 ** (3 - i)) % 10);
      text |= char << (8 * i);
      bits |= (codes[char]! & 0xffffff) << bitCount;
      bitCount += codes[char]! >>> 24;
    }
    words.push(text, bits | (bitCount << 24));
  }
  return words;
}

/** The code of a match's length and its extra bits in one. */
function matchCode(length: number, codes: readonly number[]): number {
  if (length === MATCH_MAX) return codes[LITERALS - 1]!;
  const over = length - 3;
  const extra = Math.max(0, 29 - Math.clz32(over));
  const symbol = over < 8 ? END + 1 + over : END + 1 + 4 * (extra + 1) + ((over >> extra) & 3);
  const code = codes[symbol]!;
  const bits = code >>> 24;
  const low = over & ((1 << extra) - 1);
  return (code & 0xffffff) | (extra > 0 ? low << bits : 0) | ((bits + extra) << 24);
}

/** The order in which a block lists the lengths of the codes of lengths. */
const lengthOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

function headerOf(
  literals: readonly number[],
  distances: readonly number[],
): Pick<DeflateCodes, 'header' | 'bits' | 'bitCount'> {
  const bytes: number[] = [];
  let bits = 0;
  let bitCount = 0;
  const put = (value: number, count: number): void => {
    bits |= value << bitCount;
    for (bitCount += count; bitCount >= 8; bitCount -= 8, bits >>= 8) bytes.push(bits & 0xff);
  };
  put(0, 1); // Not the last block,
  put(2, 2); // with codes of its own.
  put(LITERALS - 257, 5);
  put(DISTANCES - 1, 5);
  put(lengthOrder.length - 4, 4);
  // Lengths 0 to 15 are told in four bits each, so 15 of them need no more thought.
  for (const length of lengthOrder) put(length < 16 ? 4 : 0, 3);
  for (const length of [...literals, ...distances]) put(reversed(length, 4), 4);
  return { header: Uint8Array.from(bytes), bits, bitCount };
}
