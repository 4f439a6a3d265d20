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

/** What ends one row and begins the next is one text. */
function* writeVector(
  writer: JsonWriter,
  series: readonly VectorSample[],
  withExact: boolean,
): Generator<undefined> {
  const times = new Float64Array(1);
  const values = new Float64Array(1);
  let rows: HistogramRows | undefined;
  let text = '[';
  for (const { labels, timeMs, value, histogram } of series) {
    text += `{"metric":${labels.json}`;
    if (histogram !== undefined && withExact) {
      writer.text(`${text},"exactHistogram":${exactPoint({ timeMs, histogram })}`);
      text = '},';
      if (writer.isFull) yield;
      continue;
    }
    if (histogram !== undefined) {
      writer.text(`${text},"histogram":`);
      rows ??= new HistogramRows(writer);
      yield* rows.write([{ timeMs, histogram }]);
      text = '},';
      continue;
    }
    writer.text(`${text},"value":`);
    times[0] = timeMs;
    values[0] = value;
    writer.beginRow();
    writer.points(times, values, 0, 1);
    text = '"]},';
    if (writer.isFull) yield;
  }
  writer.text(series.length === 0 ? '[]' : `${text.slice(0, -1)}]`);
}

function* writeMatrix(writer: JsonWriter, series: readonly MatrixSeries[]): Generator<undefined> {
  let rows: HistogramRows | undefined;
  let text = '[';
  for (const { labels, timestampsMs, values, histograms = [] } of series) {
    text += `{"metric":${labels.json}`;
    if (values.length > 0) {
      writer.text(`${text},"values":[`);
      yield* writePoints(writer, timestampsMs, values);
      text = '"]]';
    }
    if (histograms.length > 0) {
      writer.text(`${text},"histograms":[`);
      rows ??= new HistogramRows(writer);
      yield* rows.write(histograms);
      text = ']';
    }
    text += '},';
    if (writer.isFull) yield;
  }
  writer.text(series.length === 0 ? '[]' : `${text.slice(0, -1)}]`);
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
