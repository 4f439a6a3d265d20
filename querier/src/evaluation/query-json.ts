// Query results as Prometheus's JSON. Points and histograms go through the kernel's writer; the rest is text.

import { formatFloat } from '@flotilla/model';
import { JsonWriter } from '@flotilla/promql';
import type {
  HistogramPoint,
  MatrixSeries,
  QueryResult,
  QueryStats,
  SamplesPerStep,
  VectorSample,
} from '@flotilla/promql';
import { exactHistogram } from '@flotilla/wire';
import { HistogramRows } from './histogram-rows.ts';

/**
 * Writes `{"resultType":…,"result":…}`, with the query's statistics if they are asked for, and with exact histograms in a vector
 * for who records them; yields whenever the writer is full.
 */
export function* writeQueryData(
  writer: JsonWriter,
  result: QueryResult,
  withStats = false,
  withExact = false,
): Generator<undefined> {
  writer.text(`{"resultType":"${result.type}","result":`);
  switch (result.type) {
    case 'scalar':
      writer.text(point(result.timeMs, formatFloat(result.value)));
      break;
    case 'string':
      writer.text(point(result.timeMs, result.value));
      break;
    case 'vector':
      yield* writeVector(writer, result.series, withExact);
      break;
    case 'matrix':
      yield* writeMatrix(writer, result.series);
  }
  writer.text(withStats ? `,"stats":${JSON.stringify(statsJson(result.stats))}}` : '}');
}

/** Texts between rows: what ends the row before and begins the next, or ends the list. */
interface Between {
  readonly next: string;
  readonly end: string;
}
const beforeRows: Between = { next: '[{"metric":', end: '[]' };
const afterFloat: Between = { next: '"]},{"metric":', end: '"]}]' };
const afterFloats: Between = { next: '"]]},{"metric":', end: '"]]}]' };
const afterHistogram: Between = { next: '},{"metric":', end: '}]' };
const afterHistograms: Between = { next: ']},{"metric":', end: ']}]' };

function* writeVector(
  writer: JsonWriter,
  series: readonly VectorSample[],
  withExact: boolean,
): Generator<undefined> {
  const times = new Float64Array(1);
  const values = new Float64Array(1);
  let rows: HistogramRows | undefined;
  let between = beforeRows;
  for (const { labels, timeMs, value, histogram } of series) {
    if (writer.isFull) yield;
    if (histogram === undefined) {
      writer.text(between.next, labels.json, ',"value":');
      times[0] = timeMs;
      values[0] = value;
      writer.beginRow();
      writer.points(times, values, 0, 1);
      between = afterFloat;
    } else if (withExact) {
      writer.text(between.next, labels.json, `,"exactHistogram":${exactPoint({ timeMs, histogram })}`);
      between = afterHistogram;
    } else {
      writer.text(between.next, labels.json, ',"histogram":');
      rows ??= new HistogramRows(writer);
      yield* rows.write([{ timeMs, histogram }]);
      between = afterHistogram;
    }
  }
  writer.text(between.end);
}

function* writeMatrix(writer: JsonWriter, series: readonly MatrixSeries[]): Generator<undefined> {
  let rows: HistogramRows | undefined;
  let between = beforeRows;
  for (const { labels, timestampsMs, values, histograms } of series) {
    if (writer.isFull) yield;
    const hasHistograms = histograms !== undefined && histograms.length > 0;
    if (values.length > 0) {
      writer.text(between.next, labels.json, ',"values":[');
      yield* writePoints(writer, timestampsMs, values);
      if (hasHistograms) writer.text('"]],"histograms":[');
    } else writer.text(between.next, labels.json, ',"histograms":[');
    between = afterFloats;
    if (!hasHistograms) continue;
    rows ??= new HistogramRows(writer);
    yield* rows.write(histograms);
    between = afterHistograms;
  }
  writer.text(between.end);
}

function* writePoints(
  writer: JsonWriter,
  timestampsMs: Float64Array,
  values: Float64Array,
): Generator<undefined> {
  writer.beginRow();
  for (let from = 0; from < values.length; from += JsonWriter.pointsMax) {
    if (writer.isFull) yield;
    writer.points(timestampsMs, values, from, Math.min(values.length, from + JsonWriter.pointsMax));
  }
}

function exactPoint({ timeMs, histogram }: HistogramPoint): string {
  return `[${formatTime(timeMs)},${JSON.stringify(exactHistogram(histogram))}]`;
}

function point(timeMs: number, value: string): string {
  return `[${formatTime(timeMs)},${JSON.stringify(value)}]`;
}

/** Seconds; with three decimals when they are not whole. */
export function formatTime(timeMs: number): string {
  return timeMs % 1000 === 0 ? `${timeMs / 1000}` : (timeMs / 1000).toFixed(3);
}

/** `stats` of an answer, in Prometheus's shape. */
export function statsJson(stats: QueryStats): unknown {
  const seconds = stats.evalMs / 1000;
  return {
    timings: {
      evalTotalTime: seconds,
      resultSortTime: 0,
      queryPreparationTime: 0,
      innerEvalTime: seconds,
      execQueueTime: 0,
      execTotalTime: seconds,
    },
    samples: {
      totalQueryableSamples: stats.samples,
      samplesRead: stats.samplesRead ?? stats.samples,
      peakSamples: stats.peakSamples,
      ...(stats.perStep && { totalQueryableSamplesPerStep: pointsOf(stats.perStep) }),
      ...(stats.readPerStep && { samplesReadPerStep: pointsOf(stats.readPerStep) }),
    },
    ...(stats.plan && { plan: stats.plan }),
  };
}

function pointsOf({ startMs, stepMs, samples }: SamplesPerStep): [seconds: number, samples: number][] {
  return Array.from(samples, (count, step) => [(startMs + step * stepMs) / 1000, count]);
}
