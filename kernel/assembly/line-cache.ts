// Hot: text exposition → (ref, value), once per scraped line.
//
// A target's cache holds, per line of its last committed body, a hash of what stands before the value and the ref that
// JavaScript has learned for it. The next body is expected to have the same lines in the same order; where it has not,
// a table by hash finds the place, and what is new is reported for JavaScript to parse and learn.
//
//     cache   0 u32 entries   4 u32 count   8 u32 capacity   12 u32 present: the entries' series are live
//     entry   0 u64 hash      8 u32 ref     12 u32 length of the hashed text
//
// The text of a sample is its series and one space; that of a comment is the whole line. ref 0: not learned, the line is
// reported each time. ref DROPPED: nobody wants it.
//
// A scan changes nothing of the cache before commitScan. One scan at a time: a second one forgets the first.

import { alloc, free } from './memory';
import { digitCount, digitsEnd, digitsValue, floatEnd, parseDigits, parseFloat64 } from './float-parse';
import { hash64 } from './hash64';

const ENTRY: usize = 16;
const DROPPED: u32 = 0xffffffff;
const NONE: u32 = 0xffffffff;
const UNKNOWN: usize = 16;
/** Readable bytes behind a body: SIMD loads, and a newline as a sentinel. */
export const BODY_PADDING: usize = 64;

export function newLineCache(): usize {
  const cache = alloc(16);
  memory.fill(cache, 0, 16);
  return cache;
}

export function freeLineCache(cache: usize): void {
  free(<usize>load<u32>(cache), <usize>load<u32>(cache, 8) * ENTRY);
  free(cache, 16);
  if (scanned == cache) scanned = 0;
}

// The result of a scan. Arrays are as long as the longest body needed.
let sampleCapacity: u32 = 0;
export let sampleRefs: usize = 0;
export let sampleValues: usize = 0;
export let sampleCount: u32 = 0;
let unknownCapacity: u32 = 0;
/** Rows of u32: start, end (without newline), ref or 0, number of the new entry or NONE. */
export let unknownLines: usize = 0;
export let unknownCount: u32 = 0;
let missingCapacity: u32 = 0;
export let missingRefs: usize = 0;
export let missingCount: u32 = 0;
/** Samples of dropped series. */
export let droppedCount: u32 = 0;

// The scan that is going on, or was the last.
let scanned: usize = 0;
let changed: bool = false;
let entries: usize = 0;
let entryCount: u32 = 0;
/** The entry of the line that comes next, if all is as it was. */
let expected: u32 = 0;
let fresh: usize = 0;
let freshCapacity: u32 = 0;
let freshCount: u32 = 0;
let seen: usize = 0;
let seenCapacity: u32 = 0;
let table: usize = 0;
let tableCapacity: u32 = 0;
let tableMask: u32 = 0;
let tableReady: bool = false;

function grown(from: usize, usedBytes: usize, oldBytes: usize, newBytes: usize): usize {
  const to = alloc(newBytes);
  memory.copy(to, from, usedBytes);
  free(from, oldBytes);
  return to;
}

function growSamples(): void {
  const larger = max<u32>(sampleCapacity << 1, 4096);
  sampleRefs = grown(sampleRefs, <usize>sampleCount << 2, <usize>sampleCapacity << 2, <usize>larger << 2);
  sampleValues = grown(sampleValues, <usize>sampleCount << 3, <usize>sampleCapacity << 3, <usize>larger << 3);
  sampleCapacity = larger;
}

@inline function addSample(ref: u32, value: f64): void {
  if (sampleCount == sampleCapacity) growSamples();
  store<u32>(sampleRefs + (<usize>sampleCount << 2), ref);
  store<f64>(sampleValues + (<usize>sampleCount << 3), value);
  sampleCount++;
}

function addUnknown(body: usize, from: usize, to: usize, ref: u32, entry: u32): void {
  if (unknownCount == unknownCapacity) {
    const larger = max<u32>(unknownCapacity << 1, 256);
    const used = <usize>unknownCount * UNKNOWN;
    unknownLines = grown(unknownLines, used, <usize>unknownCapacity * UNKNOWN, <usize>larger * UNKNOWN);
    unknownCapacity = larger;
  }
  const row = unknownLines + <usize>unknownCount * UNKNOWN;
  store<u32>(row, <u32>(from - body));
  store<u32>(row, <u32>(to - body), 4);
  store<u32>(row, ref, 8);
  store<u32>(row, entry, 12);
  unknownCount++;
}

function addMissing(ref: u32): void {
  if (missingCount == missingCapacity) {
    const larger = max<u32>(missingCapacity << 1, 256);
    missingRefs = grown(missingRefs, <usize>missingCount << 2, <usize>missingCapacity << 2, <usize>larger << 2);
    missingCapacity = larger;
  }
  store<u32>(missingRefs + (<usize>missingCount << 2), ref);
  missingCount++;
}

function addFresh(hash: u64, ref: u32, length: u32): u32 {
  if (freshCount == freshCapacity) {
    const larger = max<u32>(freshCapacity << 1, 1024);
    fresh = grown(fresh, <usize>freshCount * ENTRY, <usize>freshCapacity * ENTRY, <usize>larger * ENTRY);
    freshCapacity = larger;
  }
  const entry = fresh + <usize>freshCount * ENTRY;
  store<u64>(entry, hash);
  store<u32>(entry, ref, 8);
  store<u32>(entry, length, 12);
  return freshCount++;
}

/** From here on the new order of lines is written down. The first `same` entries were met in order. */
function deviate(same: u32): void {
  changed = true;
  if (seenCapacity < entryCount) {
    free(seen, seenCapacity);
    seen = alloc(entryCount);
    seenCapacity = entryCount;
  }
  memory.fill(seen, 0, entryCount);
  memory.fill(seen, 1, same);
  if (freshCapacity < same) {
    free(fresh, <usize>freshCapacity * ENTRY);
    freshCapacity = max(same, 1024);
    fresh = alloc(<usize>freshCapacity * ENTRY);
  }
  memory.copy(fresh, entries, <usize>same * ENTRY);
  freshCount = same;
}

function buildTable(): void {
  tableReady = true;
  let size: u32 = 1024;
  while (size < entryCount << 1) size <<= 1;
  if (size > tableCapacity) {
    free(table, <usize>tableCapacity << 2);
    table = alloc(<usize>size << 2);
    tableCapacity = size;
  }
  tableMask = size - 1;
  memory.fill(table, 0, <usize>size << 2);
  for (let i: u32 = 0; i < entryCount; i++) insert(i);
}

/** Of entries with one hash only the first is in the table: a body of equal lines must not make long chains. */
function insert(i: u32): void {
  const hash = load<u64>(entries + <usize>i * ENTRY);
  let at = <u32>hash & tableMask;
  while (true) {
    const slot = table + (<usize>at << 2);
    const other = load<u32>(slot);
    if (other == 0) {
      store<u32>(slot, i + 1);
      return;
    }
    if (load<u64>(entries + <usize>(other - 1) * ENTRY) == hash) return;
    at = (at + 1) & tableMask;
  }
}

/** An entry with this text, or −1. */
function find(hash: u64, length: u32): i32 {
  if (entryCount == 0) return -1;
  if (!tableReady) buildTable();
  let at = <u32>hash & tableMask;
  while (true) {
    const i = load<u32>(table + (<usize>at << 2));
    if (i == 0) return -1;
    const entry = entries + <usize>(i - 1) * ENTRY;
    if (load<u64>(entry) == hash) return load<u32>(entry, 12) == length ? <i32>(i - 1) : -1;
    at = (at + 1) & tableMask;
  }
}

@inline function newlineFrom(p: usize): usize {
  while (true) {
    const hits = i8x16.bitmask(i8x16.eq(v128.load(p), i8x16.splat(10)));
    if (hits) return p + <usize>ctz(hits);
    p += 16;
  }
}

/** Length of series and space at p; 0 if the line has another shape. */
function seriesLength(p: usize, end: usize): u32 {
  let inBraces = false;
  for (let q = p; q < end; q++) {
    const c = load<u8>(q);
    if (c == 32 && !inBraces) return <u32>(q - p) + 1;
    if (c == 9 && !inBraces) return 0;
    if (c == 123) inBraces = true;
    else if (c == 125) inBraces = false;
    else if (c == 34) {
      for (q++; q < end && load<u8>(q) != 34; q++) if (load<u8>(q) == 92) q++;
    }
  }
  return 0;
}

/** Takes the value of a line whose text is known. Returns where the next line begins, 0 if the value is no plain one. */
@inline function takeValue(p: usize, length: u32, ref: u32): usize {
  let value = parseDigits(p + length);
  let end = digitsEnd;
  if (end == 0) {
    value = parseFloat64(p + length);
    end = floatEnd;
    if (end == 0 || load<u8>(end) != 10) return 0;
  }
  if (ref == DROPPED) droppedCount++;
  else addSample(ref, value);
  return end + 1;
}

let afterExpected: usize = 0;

/**
 * Takes lines from p on as long as each is the sample that comes next and has a plain value of few digits: nearly all are.
 * Returns the entry that is expected then; the place is in afterExpected. Requires room for all samples that may come.
 */
function takeExpected(p: usize, end: usize, next: u32): u32 {
  const first = entries + <usize>next * ENTRY;
  const last = entries + <usize>entryCount * ENTRY;
  let entry = first;
  let refs = sampleRefs + (<usize>sampleCount << 2);
  let out = sampleValues + (<usize>sampleCount << 3);
  for (; entry < last && p < end; entry += ENTRY) {
    const length = <usize>load<u32>(entry, 12);
    const ref = load<u32>(entry, 8);
    if (ref == 0 || ref == DROPPED || length > end - p) break;
    const value = p + length;
    const bytes = load<u64>(value);
    const count = digitCount(bytes);
    if (count == 0 || load<u8>(value + count) != 10 || load<u8>(value - 1) != 32) break;
    if (hash64(p, length) != load<u64>(entry)) break;
    store<u32>(refs, ref);
    store<f64>(out, digitsValue(bytes, count));
    refs += 4;
    out += 8;
    p = value + count + 1;
  }
  const taken = <u32>((entry - first) / ENTRY);
  sampleCount += taken;
  afterExpected = p;
  return next + taken;
}

/** Begins a scan. The result is in the exported variables; the cache changes at commitScan. */
export function beginScan(cache: usize): void {
  begin(cache);
  expected = 0;
}

/**
 * Scans n bytes of the body, which begin with a line at `offset` of it and have BODY_PADDING writable bytes behind them.
 * Returns how many were whole lines; of the last part all are.
 */
export function scanPart(part: usize, n: usize, offset: usize, isLast: bool): usize {
  const end = isLast ? part + n : linesEnd(part, n);
  if (isLast) store<u8>(end, 10);
  const body = part - offset; // Unknown lines are told by their place in the whole.
  let p = part;
  let next = expected;
  while (sampleCapacity < entryCount) growSamples();
  while (p < end) {
    if (!changed) {
      next = takeExpected(p, end, next);
      p = afterExpected;
      if (p >= end) break;
    }
    const c = load<u8>(p);
    if (c == 10) {
      p++;
      continue;
    }
    if (next < entryCount) {
      const entry = entries + <usize>next * ENTRY;
      const length = load<u32>(entry, 12), ref = load<u32>(entry, 8);
      if (ref != 0 && isAt(p, c, end, length) && hash64(p, length) == load<u64>(entry)) {
        const after = c == 35 ? p + length + 1 : takeValue(p, length, ref);
        if (after) {
          if (changed) keep(next);
          next++;
          p = after;
          continue;
        }
      }
    }
    if (!changed) deviate(next);
    const newline = newlineFrom(p);
    next = outOfOrder(body, p, newline, next);
    p = newline + 1;
  }
  expected = next;
  if (isLast) finish(next);
  return end - part;
}

/** Where the last whole line ends. */
function linesEnd(part: usize, n: usize): usize {
  let end = part + n;
  while (end > part && load<u8>(end - 1) != 10) end--;
  return end;
}

/** Whether a text of this length can begin at p: the byte that ends it stands where it should. */
@inline function isAt(p: usize, c: u8, end: usize, length: u32): bool {
  if (<usize>length > end - p) return false;
  return c == 35 ? load<u8>(p + length) == 10 : load<u8>(p + length - 1) == 32;
}

@inline function keep(i: u32): void {
  const entry = entries + <usize>i * ENTRY;
  store<u8>(seen + i, 1);
  addFresh(load<u64>(entry), load<u32>(entry, 8), load<u32>(entry, 12));
}

/** Handles the line [p, newline) that is not the expected one; returns the entry to be expected after it. */
function outOfOrder(body: usize, p: usize, newline: usize, next: u32): u32 {
  const comment = load<u8>(p) == 35;
  const length = comment ? <u32>(newline - p) : seriesLength(p, newline);
  if (length == 0) {
    addUnknown(body, p, newline, 0, NONE);
    return next;
  }
  const hash = hash64(p, length);
  const i = find(hash, length);
  if (i < 0) {
    addUnknown(body, p, newline, 0, addFresh(hash, 0, length));
    return next;
  }
  const ref = load<u32>(entries + <usize>i * ENTRY, 8);
  keep(i);
  const plain = ref != 0 && (comment || takeValue(p, length, ref) != 0);
  if (!plain) addUnknown(body, p, newline, ref == DROPPED ? 0 : ref, freshCount - 1);
  return <u32>i + 1;
}

function begin(cache: usize): void {
  scanned = cache;
  changed = false;
  tableReady = false;
  entries = <usize>load<u32>(cache);
  entryCount = load<u32>(cache, 4);
  sampleCount = 0;
  unknownCount = 0;
  missingCount = 0;
  droppedCount = 0;
  freshCount = 0;
}

function finish(next: u32): void {
  if (!changed) {
    if (next == entryCount) return;
    deviate(next);
  }
  if (!load<u32>(scanned, 12)) return;
  for (let i: u32 = 0; i < entryCount; i++) {
    const ref = load<u32>(entries + <usize>i * ENTRY, 8);
    if (ref != 0 && ref != DROPPED && load<u8>(seen + i) == 0) addMissing(ref);
  }
}

/** Sets the ref of a new entry of the scan that is going on. */
export function learn(entry: u32, ref: u32): void {
  if (entry < freshCount) store<u32>(fresh + <usize>entry * ENTRY, ref, 8);
}

/** Makes the scanned lines the ones that are expected next. False if another scan came between. */
export function commitScan(cache: usize): bool {
  if (scanned != cache) return false;
  scanned = 0;
  store<u32>(cache, 1, 12);
  if (!changed) return true;
  const capacity = load<u32>(cache, 8);
  if (freshCount > capacity || freshCount < capacity >> 2) {
    free(<usize>load<u32>(cache), <usize>capacity * ENTRY);
    store<u32>(cache, <u32>alloc(max<usize>(<usize>freshCount * ENTRY, 64)));
    store<u32>(cache, max<u32>(freshCount, 4), 8);
  }
  memory.copy(<usize>load<u32>(cache), fresh, <usize>freshCount * ENTRY);
  store<u32>(cache, freshCount, 4);
  return true;
}

/** Puts the refs of all live series into the missing ones, and takes them as gone until they are scanned again. */
export function takeAbsent(cache: usize): void {
  begin(cache);
  scanned = 0;
  if (!load<u32>(cache, 12)) return;
  store<u32>(cache, 0, 12);
  for (let i: u32 = 0; i < entryCount; i++) {
    const ref = load<u32>(entries + <usize>i * ENTRY, 8);
    if (ref != 0 && ref != DROPPED) addMissing(ref);
  }
}

/** Forgets all lines. */
export function clearLineCache(cache: usize): void {
  if (scanned == cache) scanned = 0;
  store<u32>(cache, 0, 4);
}
