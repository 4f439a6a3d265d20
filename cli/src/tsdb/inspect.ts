// `flotilla tsdb list | analyze | dump | verify`: what is in a data folder, printed as promtool prints it. Changes nothing.

import { formatGoG, type Matcher, histogramText } from '@flotilla/model';
import { parseSelector } from '@flotilla/promql';
import {
  type BlockAnalysis,
  type BlockStatus,
  decodeChunk,
  decodeHistogramChunk,
  floatHistogramOf,
  type RawChunk,
  ReadOnlyTsdb,
} from '@flotilla/tsdb';
import type { Printer } from '../query.ts';

const quiet = { info() {}, warn() {}, error() {} };
const CELL_CHARS_MIN = 13;
const CELL_GAP = 2;

export function listBlocks(dir: string, humanReadable: boolean, printer: Printer): void {
  const { blocks } = new ReadOnlyTsdb(dir, quiet, { blocksOnly: true });
  const head = 'BLOCK ULID|MIN TIME|MAX TIME|DURATION|NUM SAMPLES|NUM CHUNKS|NUM SERIES|SIZE'.split('|');
  for (const line of aligned([head, ...blocks.map((block) => rowOf(block, humanReadable))]))
    printer.out(line);
}

function rowOf(block: BlockStatus, humanReadable: boolean): string[] {
  const time = (ms: number): string => (humanReadable ? goTime(ms) : `${ms}`);
  return [
    block.ulid,
    time(block.minTimeMs),
    time(block.maxTimeMs),
    goDuration(block.maxTimeMs - block.minTimeMs),
    `${block.samples}`,
    `${block.chunks}`,
    `${block.series}`,
    humanReadable ? binarySize(block.sizeBytes) : `${block.sizeBytes}`,
  ];
}

/** Columns as Go's tabwriter makes them; the last one is not padded. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) =>
    Math.max(CELL_CHARS_MIN, ...rows.map((row) => row[column]!.length + CELL_GAP)),
  );
  return rows.map((row) =>
    row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i]!))).join(''),
  );
}

function goTime(ms: number): string {
  const iso = new Date(Math.floor(ms / 1000) * 1000).toISOString();
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)} +0000 UTC`;
}

/** As Go prints a time.Duration. */
export function goDuration(ms: number): string {
  if (ms < 1000) return ms === 0 ? '0s' : `${ms}ms`;
  const seconds = ms / 1000;
  const [h, m] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const rest = `${Number((seconds % 60).toFixed(3))}s`;
  if (h > 0) return `${h}h${m}m${rest}`;
  return m > 0 ? `${m}m${rest}` : rest;
}

function binarySize(bytes: number): string {
  let out = '';
  let rest = bytes;
  for (const [unit, size] of [
    ['TiB', 2 ** 40],
    ['GiB', 2 ** 30],
    ['MiB', 2 ** 20],
    ['KiB', 1024],
    ['B', 1],
  ] as const) {
    if (rest >= size) out += `${Math.floor(rest / size)}${unit}`;
    rest %= size;
  }
  return out === '' ? '0B' : out;
}

/** Prints one block, the last one unless named; false if there is none. */
export function analyze(dir: string, ulid: string | undefined, limit: number, printer: Printer): boolean {
  const db = new ReadOnlyTsdb(dir, quiet, { blocksOnly: true });
  const analysis = db.analyze(ulid ?? db.blocks.at(-1)?.ulid ?? '');
  if (analysis === undefined) {
    printer.err(ulid === undefined ? 'no blocks' : `block ${ulid} not found`);
    return false;
  }
  for (const line of analysisLines(analysis, limit)) printer.out(line);
  return true;
}

function analysisLines(analysis: BlockAnalysis, limit: number): string[] {
  const lists: [string, BlockAnalysis['churnByPair']][] = [
    ['Label pairs most involved in churning:', analysis.churnByPair],
    ['Label names most involved in churning:', analysis.churnByName],
    ['Most common label pairs:', analysis.seriesByPair],
    ['Label names with highest cumulative label value length:', analysis.valueBytesByName],
    ['Highest cardinality labels:', analysis.valuesByName],
    ['Highest cardinality metric names:', analysis.seriesByMetric],
  ];
  return [
    `Block ID: ${analysis.ulid}`,
    `Duration: ${goDuration(analysis.durationMs)}`,
    `Total Series: ${analysis.series}`,
    `Label names: ${analysis.labelNames}`,
    `Postings (unique label pairs): ${analysis.postings}`,
    `Postings entries (total label pairs): ${analysis.entries}`,
    ...lists.flatMap(([title, counts]) => {
      const sorted = counts.toSorted((a, b) => b.value - a.value || (a.name < b.name ? -1 : 1));
      return ['', title, ...sorted.slice(0, limit).map(({ name, value }) => `${value} ${name}`)];
    }),
  ];
}

export interface DumpOptions {
  readonly match?: readonly string[];
  readonly minTime?: string;
  readonly maxTime?: string;
}

/** Every sample: `{__name__="up", job="x"} 1 1700000000000`, series in label order. */
export async function dump(dir: string, options: DumpOptions, printer: Printer): Promise<void> {
  const db = new ReadOnlyTsdb(dir, quiet);
  const minTimeMs = options.minTime === undefined ? -(2 ** 53) : Number(options.minTime);
  const maxTimeMs = options.maxTime === undefined ? 2 ** 53 : Number(options.maxTime);
  const selectors: (readonly Matcher[])[] = options.match?.map((text) => parseSelector(text)) ?? [[]];
  for (const matchers of selectors) {
    const set = await db.select(matchers, minTimeMs, maxTimeMs);
    while (set.next()) {
      const labels = set.labels.toString();
      for (const [timeMs, text] of set.chunks.flatMap((chunk) => samplesOf(chunk)))
        if (timeMs >= minTimeMs && timeMs <= maxTimeMs) printer.out(`${labels} ${text} ${timeMs}`);
    }
  }
  for (const { path, detail } of db.corruptions) printer.err(`${path}: ${detail}`);
}

function samplesOf(chunk: RawChunk): [number, string][] {
  if (chunk.encoding !== 1)
    return decodeHistogramChunk(chunk).map(({ timeMs, histogram }) => [
      timeMs,
      histogramText(floatHistogramOf(histogram)),
    ]);
  const times = new Float64Array(chunk.samples);
  const values = new Float64Array(chunk.samples);
  const count = decodeChunk(chunk, times, values);
  return Array.from({ length: Math.max(0, count) }, (_, i) => [times[i]!, formatGoG(values[i]!)]);
}

/** Reads every byte of blocks and logs; false if something is damaged. */
export function verify(dir: string, printer: Printer): boolean {
  const db = new ReadOnlyTsdb(dir, quiet);
  const problems = [
    ...db.corruptions.map(({ path, detail }) => `${path}: ${detail}`),
    ...db.verify().map(({ ulid, detail }) => `${ulid}: ${detail}`),
  ];
  for (const problem of problems) printer.err(problem);
  printer.out(`${db.blocks.length} blocks, ${problems.length} problems`);
  return problems.length === 0;
}
