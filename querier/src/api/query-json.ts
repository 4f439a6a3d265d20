// Query results as Prometheus's JSON, in pieces, so that a large answer is never one string.

import { formatFloat, formatSampleValue, histogramToJson } from '@flotilla/model';
import type { HistogramPoint, MatrixSeries, QueryResult, QueryStats } from '@flotilla/promql';
import { exactHistogram } from '@flotilla/wire';

const pieceLength = 64 * 1024;

/**
 * Yields `{"resultType":…,"result":…}` in pieces of about 64 KiB, with the query's statistics if they are asked for, and with
 * exact histograms in a vector for who records them.
 */
export function* queryDataJson(result: QueryResult, withStats = false, withExact = false): Generator<string> {
  const times = new TimeTexts();
  yield `{"resultType":"${result.type}","result":`;
  switch (result.type) {
    case 'scalar':
      yield point(result.timeMs, formatFloat(result.value));
      break;
    case 'string':
      yield point(result.timeMs, result.value);
      break;
    case 'vector':
      yield* list(
        result.series,
        ({ labels, timeMs, value, histogram }) =>
          `{"metric":${JSON.stringify(labels.toRecord())},${
            histogram === undefined
              ? `"value":${point(timeMs, formatSampleValue(value))}`
              : vectorHistogram({ timeMs, histogram }, withExact)
          }}`,
      );
      break;
    case 'matrix':
      yield* list(
        result.series,
        (series) => `{"metric":${JSON.stringify(series.labels.toRecord())}${samples(series, times)}}`,
      );
  }
  yield withStats ? `,"stats":${JSON.stringify(statsJson(result.stats))}}` : '}';
}

function* list<T>(items: readonly T[], write: (item: T) => string): Generator<string> {
  let piece = '[';
  for (let index = 0; index < items.length; index++) {
    piece += (index === 0 ? '' : ',') + write(items[index]!);
    if (piece.length < pieceLength) continue;
    yield piece;
    piece = '';
  }
  yield `${piece}]`;
}

function samples({ timestampsMs, values, histograms = [] }: MatrixSeries, times: TimeTexts): string {
  const floats = values.length === 0 ? '' : `,"values":${points(timestampsMs, values, times)}`;
  if (histograms.length === 0) return floats;
  return `${floats},"histograms":[${histograms.map(histogramPoint).join(',')}]`;
}

function histogramPoint({ timeMs, histogram }: HistogramPoint): string {
  return `[${formatTime(timeMs)},${JSON.stringify(histogramToJson(histogram))}]`;
}

function vectorHistogram({ timeMs, histogram }: HistogramPoint, exact: boolean): string {
  if (!exact) return `"histogram":${histogramPoint({ timeMs, histogram })}`;
  return `"exactHistogram":[${formatTime(timeMs)},${JSON.stringify(exactHistogram(histogram))}]`;
}

function points(timestampsMs: Float64Array, values: Float64Array, times: TimeTexts): string {
  let text = '';
  for (let index = 0; index < values.length; index++) {
    text += `${times.opening(index, timestampsMs[index]!)}${formatSampleValue(values[index]!)}"]`;
  }
  return `[${text.slice(1)}]`;
}

/** Beginnings of points: series of one answer have mostly the same times, which need be written once. */
class TimeTexts {
  private readonly times: number[] = [];
  private readonly texts: string[] = [];

  /** `,[<seconds>,"` */
  opening(index: number, timeMs: number): string {
    if (this.times[index] !== timeMs) {
      this.times[index] = timeMs;
      this.texts[index] = `,[${formatTime(timeMs)},"`;
    }
    return this.texts[index]!;
  }
}

function point(timeMs: number, value: string): string {
  return `[${formatTime(timeMs)},${JSON.stringify(value)}]`;
}

/** Seconds; with three decimals when they are not whole. */
function formatTime(timeMs: number): string {
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
      samplesRead: stats.samples,
      peakSamples: stats.peakSamples,
    },
  };
}
