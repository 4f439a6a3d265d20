// `flotilla tsdb create-blocks-from openmetrics`: text with timestamps → blocks of two hours.

import { Labels } from '@flotilla/model';
import { importBlock, type ImportedSeries } from '@flotilla/tsdb';
import { createReadStream, mkdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Printer } from '../query.ts';
import { parseSampleLine } from './open-metrics.ts';

const BLOCK_MS = 2 * 3_600_000;

export interface CreateOptions {
  /** name=value, attached to all series. */
  readonly label?: readonly string[];
  readonly quiet?: boolean;
}

interface Points {
  readonly labels: Labels;
  /** Time → value; the first one of a time counts. */
  readonly values: Map<number, number>;
}

/** Series by their text, of one range. */
type Range = Map<string, Points>;

/** Returns the folders of the new blocks. Throws Error with the line that is wrong. */
export async function createBlocks(
  input: string,
  dir: string,
  options: CreateOptions,
  printer: Printer,
): Promise<string[]> {
  const ranges = await readRanges(input, options.label ?? []);
  mkdirSync(dir, { recursive: true });
  const paths: string[] = [];
  for (const number of [...ranges.keys()].toSorted((a, b) => a - b)) {
    const series = [...ranges.get(number)!.values()].map(columnsOf);
    const firstMs = series.reduce((least, { times }) => Math.min(least, times[0]!), Infinity);
    const lastMs = series.reduce((most, { times }) => Math.max(most, times.at(-1)!), -Infinity);
    const path = await importBlock(dir, series, firstMs, lastMs + 1);
    if (path === undefined) continue;
    paths.push(path);
    if (options.quiet !== true) printer.out(path);
  }
  return paths;
}

async function readRanges(input: string, extra: readonly string[]): Promise<Map<number, Range>> {
  const more = extra.map(pairOf);
  const ranges = new Map<number, Range>();
  let number = 0;
  let isEnded = false;
  for await (const line of createInterface({ input: createReadStream(input), crlfDelay: Infinity })) {
    number++;
    if (isEnded) throw new Error(`${input}:${number}: data after # EOF`);
    isEnded = line === '# EOF';
    try {
      addLine(ranges, line, more);
    } catch (error) {
      throw new Error(`${input}:${number}: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
  }
  if (!isEnded) throw new Error(`${input}: data does not end with # EOF`);
  return ranges;
}

function pairOf(text: string): [string, string] {
  const at = text.indexOf('=');
  if (at <= 0) throw new Error(`label ${text}: want name=value`);
  return [text.slice(0, at), text.slice(at + 1)];
}

function addLine(ranges: Map<number, Range>, line: string, more: readonly [string, string][]): void {
  const sample = parseSampleLine(line);
  if (sample === undefined) return;
  const labels = more.length === 0 ? sample.labels : withLabels(sample.labels, more);
  const number = Math.floor(sample.timeMs / BLOCK_MS);
  let range = ranges.get(number);
  if (range === undefined) ranges.set(number, (range = new Map()));
  const key = labels.toString();
  let points = range.get(key);
  if (points === undefined) range.set(key, (points = { labels, values: new Map() }));
  if (!points.values.has(sample.timeMs)) points.values.set(sample.timeMs, sample.value);
}

function withLabels(labels: Labels, more: readonly [string, string][]): Labels {
  return Labels.fromPairs(new Map([...labels, ...more]));
}

function columnsOf({ labels, values }: Points): ImportedSeries {
  const sorted = [...values].toSorted(([a], [b]) => a - b);
  return {
    labels,
    times: Float64Array.from(sorted, ([time]) => time),
    values: Float64Array.from(sorted, ([, value]) => value),
  };
}
