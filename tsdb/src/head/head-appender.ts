// A transaction on the head: staged in the kernel, written to the WAL, then applied.
//
// Hot: appendBatch, once per scrape. The WAL sees series and schedules before the samples that name them.

import { BadRequest, CUSTOM_SCHEMA, isValidUtf8Name, type Labels, writeStale } from '@flotilla/model';
import {
  type AppendCode,
  appendCode,
  type Appender,
  type Exemplar,
  type ExemplarCode,
  type Schedule,
  type SeriesMetadata,
  type SeriesRef,
} from '../api.ts';
import { defectOf, type NativeHistogram, sameHistogram } from '../histogram/native-histogram.ts';
import { encodeHistograms, hintCode, type RefHistogram } from '../wal/histogram-records.ts';
import { encodeLate, type LateSample } from '../wal/late-records.ts';
import { encodeSchedules, encodeSeries } from '../wal/records.ts';
import type { Wal } from '../wal/wal.ts';
import { Annotations } from './annotations.ts';
import type { Head } from './head.ts';
import { slotOf } from './ref-table.ts';
import { sameSchedule } from './schedules.ts';

const AHEAD_MAX_MS = 10 * 60_000;
const LABEL_BYTES_MAX = 1 << 20;

/** Samples that were refused, by code, since the start. */
export type Refusals = Record<AppendCode, number>;

export class HeadAppender implements Appender {
  private readonly head: Head;
  private readonly wal: Wal;
  private readonly wbl: Wal | undefined;
  private readonly clock: () => number;
  private readonly refusals: Refusals;
  private stage = 0;
  private created = new Set<SeriesRef>();
  private scheduled = new Map<SeriesRef, Schedule>();
  private minTimeMs = Infinity;
  private maxTimeMs = -Infinity;
  private late: LateSample[] = [];
  private histograms: RefHistogram[] = [];
  /** By series, once somebody asks. */
  private newestHistogram: Map<SeriesRef, RefHistogram> | undefined;
  private readonly annotations: Annotations;
  private readonly oneRef = new Uint32Array(1);
  private readonly oneValue = new Float64Array(1);
  private readonly oneCode = new Uint8Array(1);

  constructor(head: Head, wal: Wal, wbl: Wal | undefined, clock: () => number, refusals: Refusals) {
    this.head = head;
    this.wal = wal;
    this.wbl = wbl;
    this.clock = clock;
    this.refusals = refusals;
    this.annotations = new Annotations(head);
  }

  series(labels: Labels, schedule?: Schedule): SeriesRef {
    const ref = this.head.find(labels) || this.create(labels);
    if (this.head.isUnpublished(ref) && !this.created.has(ref)) {
      this.head.want(ref);
      this.created.add(ref);
    }
    if (schedule !== undefined) this.setSchedule(ref, schedule);
    return ref;
  }

  get seriesCreated(): number {
    return this.created.size;
  }

  private create(labels: Labels): SeriesRef {
    checkLabels(labels);
    return this.head.create(labels);
  }

  private setSchedule(ref: SeriesRef, schedule: Schedule): void {
    const known = this.scheduled.get(ref) ?? this.head.schedule(ref);
    if (sameSchedule(known, schedule)) return;
    checkSchedule(schedule);
    this.scheduled.set(ref, schedule);
  }

  append(ref: SeriesRef, timeMs: number, value: number): AppendCode {
    this.oneRef[0] = ref;
    this.oneValue[0] = value;
    this.appendBatch(this.oneRef, this.oneValue, 1, timeMs, this.oneCode);
    return this.oneCode[0] as AppendCode;
  }

  appendBatch(
    refs: Uint32Array,
    values: Float64Array,
    count: number,
    timeMs: number,
    codes: Uint8Array = new Uint8Array(count),
  ): number {
    return this.stageBatch(refs, values, count, timeMs, codes, this.head.takesLate(timeMs));
  }

  private stageBatch(
    refs: Uint32Array,
    values: Float64Array,
    count: number,
    timeMs: number,
    codes: Uint8Array,
    takesLate: boolean,
  ): number {
    const refusal = this.refusalOf(timeMs);
    if (refusal === appendCode.tooOld && takesLate) {
      for (let i = 0; i < count; i++)
        codes[i] = this.head.isLive(refs[i]!) ? appendCode.outOfOrder : appendCode.unknownRef;
      return this.stageLate(refs, values, count, timeMs, codes);
    }
    if (refusal !== appendCode.ok) return this.refuse(refusal, count, codes);
    if (this.stage === 0) this.stage = this.head.takeStage();
    const staged = this.head.kernel.stagedCount(this.stage);
    const taken = this.head.kernel.stage(this.stage, refs, values, count, timeMs, codes);
    if (this.head.kernel.stagedCount(this.stage) > staged) this.extend(timeMs);
    if (taken === count) return taken;
    if (takesLate) return taken + this.stageLate(refs, values, count, timeMs, codes);
    this.countRefused(codes, count);
    return taken;
  }

  /** Takes the samples that are out of order as late ones; returns how many. */
  private stageLate(
    refs: Uint32Array,
    values: Float64Array,
    count: number,
    timeMs: number,
    codes: Uint8Array,
  ): number {
    const words = new Uint32Array(values.buffer, values.byteOffset, 2 * count);
    let taken = 0;
    for (let i = 0; i < count; i++) {
      if (codes[i] !== appendCode.outOfOrder) continue;
      const [low, high] = [words[2 * i]!, words[2 * i + 1]!];
      this.late.push({ ref: refs[i]!, timeMs, low, high, histogram: undefined });
      codes[i] = appendCode.ok;
      taken++;
    }
    this.countRefused(codes, count);
    return taken;
  }

  private extend(timeMs: number): void {
    this.minTimeMs = Math.min(this.minTimeMs, timeMs);
    this.maxTimeMs = Math.max(this.maxTimeMs, timeMs);
  }

  private refusalOf(timeMs: number): AppendCode {
    if (!Number.isSafeInteger(timeMs))
      throw new BadRequest(`sample: time ${timeMs}, want whole milliseconds`);
    if (timeMs > this.clock() + AHEAD_MAX_MS) return appendCode.outOfBounds;
    return timeMs < this.head.minValidMs ? appendCode.tooOld : appendCode.ok;
  }

  private refuse(code: AppendCode, count: number, codes: Uint8Array): number {
    codes.fill(code, 0, count);
    this.refusals[code] += count;
    return 0;
  }

  private countRefused(codes: Uint8Array, count: number): void {
    for (let i = 0; i < count; i++) {
      const code = codes[i] as AppendCode;
      if (code !== appendCode.ok) this.refusals[code]++;
    }
  }

  appendStale(refs: Uint32Array | readonly SeriesRef[], timeMs: number): number {
    const values = new Float64Array(refs.length);
    for (let i = 0; i < values.length; i++) writeStale(values, i);
    const codes = new Uint8Array(refs.length);
    return this.stageBatch(Uint32Array.from(refs), values, refs.length, timeMs, codes, false);
  }

  appendHistogram(ref: SeriesRef, timeMs: number, histogram: NativeHistogram): AppendCode {
    const defect = defectOf(histogram);
    if (defect !== undefined) throw new BadRequest(`histogram: ${defect}`);
    const code = this.codeOf(ref, timeMs, histogram);
    const isOld = code === appendCode.outOfOrder || code === appendCode.tooOld;
    if (isOld && this.head.isLive(ref) && this.head.takesLate(timeMs)) {
      this.late.push({ ref, timeMs, low: 0, high: 0, histogram });
      return appendCode.ok;
    }
    if (code !== appendCode.ok) this.refusals[code]++;
    else if (timeMs > this.newestMs(ref)) {
      this.head.histograms.stage(slotOf(ref));
      const sample = { ref, timeMs, histogram };
      this.histograms.push(sample);
      this.newestHistogram?.set(ref, sample);
    }
    return code;
  }

  private codeOf(ref: SeriesRef, timeMs: number, histogram: NativeHistogram): AppendCode {
    const refusal = this.refusalOf(timeMs);
    if (refusal !== appendCode.ok) return refusal;
    if (!this.head.isLive(ref)) return appendCode.unknownRef;
    const newestMs = this.newestMs(ref);
    if (timeMs < newestMs) return appendCode.outOfOrder;
    if (timeMs > newestMs) return appendCode.ok;
    const newest = this.newestStaged(ref)?.histogram ?? this.head.lastHistogram(ref);
    const isSame = newest !== undefined && sameHistogram(newest, histogram);
    return isSame ? appendCode.ok : appendCode.duplicate;
  }

  /** Time of the newest sample of a live series, this transaction's histograms included. */
  private newestMs(ref: SeriesRef): number {
    return this.newestStaged(ref)?.timeMs ?? this.head.kernel.lastTimeMs(ref);
  }

  /** The newest histogram of a live series in this transaction. Most transactions have one of each series and need no map. */
  private newestStaged(ref: SeriesRef): RefHistogram | undefined {
    if (!this.head.histograms.isStaged(slotOf(ref))) return undefined;
    this.newestHistogram ??= new Map(this.histograms.map((sample) => [sample.ref, sample]));
    return this.newestHistogram.get(ref);
  }

  appendExemplar(ref: SeriesRef, exemplar: Exemplar): ExemplarCode {
    return this.annotations.addExemplar(ref, exemplar);
  }

  setMetadata(ref: SeriesRef, metadata: SeriesMetadata): void {
    this.annotations.setMetadata(ref, metadata);
  }

  commit(): void {
    this.checkRoom();
    const undoLate = this.logLate();
    try {
      this.log();
    } catch (error) {
      undoLate();
      this.rollback();
      throw error;
    }
    for (const ref of this.created) this.head.publish(ref);
    for (const [ref, schedule] of this.scheduled) this.head.schedules.set(slotOf(ref), schedule);
    if (this.stage !== 0) this.head.apply(this.stage, this.minTimeMs, this.maxTimeMs);
    for (const { ref, timeMs, histogram } of this.histograms)
      this.head.appendHistogram(ref, timeMs, histogram);
    for (const sample of this.late)
      if (this.head.isLive(sample.ref)) this.head.late.add(slotOf(sample.ref), sample);
    this.annotations.apply();
    this.reset();
  }

  private checkRoom(): void {
    try {
      this.head.checkRoom(this.staged, this.histograms.length);
    } catch (error) {
      this.rollback();
      throw error;
    }
  }

  private get staged(): number {
    return this.stage === 0 ? 0 : this.head.kernel.stagedCount(this.stage);
  }

  /** Writes late samples to their own log; returns what takes them back. */
  private logLate(): () => void {
    const { wbl } = this;
    if (this.late.length === 0 || wbl === undefined) return () => {};
    const { kernel } = this.head;
    try {
      const before = wbl.write(kernel, (page) => {
        for (const record of encodeLate(this.late)) kernel.frameRecord(record, page);
      });
      return () => wbl.rewind(before);
    } catch (error) {
      this.rollback();
      throw error;
    }
  }

  private log(): void {
    const { kernel, index } = this.head;
    const { staged } = this;
    const fresh = [...this.created].filter((ref) => this.head.isUnpublished(ref));
    const isEmpty = staged === 0 && fresh.length === 0 && this.scheduled.size === 0;
    if (isEmpty && this.histograms.length === 0 && this.annotations.isEmpty) return;
    this.wal.write(kernel, (pageOffset) => {
      if (fresh.length > 0) {
        const record = encodeSeries(fresh, (ref) => index.sets.labels(slotOf(ref)));
        kernel.frameRecord(record, pageOffset);
      }
      if (this.scheduled.size > 0) kernel.frameRecord(encodeSchedules(this.scheduled), pageOffset);
      this.annotations.frameFirst(kernel, pageOffset);
      if (staged > 0) kernel.frameStaged(this.stage, pageOffset);
      if (this.histograms.length > 0) this.frameHistograms(pageOffset);
      this.annotations.frameLast(kernel, pageOffset);
    });
  }

  /** Those of whole counts that have the buckets of their open chunks, nearly all, are encoded in the kernel. */
  private frameHistograms(pageOffset: number): void {
    const { kernel } = this.head;
    kernel.histogramRecord.clear();
    const others = this.histograms.filter((sample) => !this.recordPlain(sample));
    kernel.histogramRecord.frame(pageOffset);
    for (const record of encodeHistograms(others)) kernel.frameRecord(record, pageOffset);
  }

  private recordPlain({ ref, timeMs, histogram }: RefHistogram): boolean {
    // Of a series with several samples here none may overtake another.
    if (this.newestHistogram !== undefined) return false;
    const { isFloat, isStale, schema, hint } = histogram;
    if (isFloat || isStale || schema === CUSTOM_SCHEMA) return false;
    const layout = this.head.histograms.layoutFor(slotOf(ref), histogram);
    if (layout === undefined) return false;
    this.head.kernel.histogramRecord.add(ref, timeMs, hintCode(hint), layout, histogram);
    return true;
  }

  rollback(): void {
    if (this.stage !== 0) this.head.kernel.discard(this.stage);
    for (const ref of this.created) this.head.abandon(ref);
    this.reset();
  }

  private reset(): void {
    if (this.stage !== 0) this.head.returnStage(this.stage);
    this.stage = 0;
    for (const { ref } of this.histograms) this.head.histograms.unstage(slotOf(ref));
    if (this.late.length > 0) this.late = [];
    if (this.histograms.length > 0) this.histograms = [];
    this.newestHistogram = undefined;
    this.annotations.clear();
    if (this.created.size > 0) this.created = new Set();
    if (this.scheduled.size > 0) this.scheduled = new Map();
    this.minTimeMs = Infinity;
    this.maxTimeMs = -Infinity;
  }
}

function checkLabels(labels: Labels): void {
  if (labels.length === 0) throw new BadRequest('series: no labels, want at least one');
  let bytes = 0;
  for (const text of labels.flat) {
    if (!isValidUtf8Name(text)) throw new BadRequest(`series ${labels.toString()}: label is no UTF-8`);
    bytes += text.length;
  }
  if (bytes > LABEL_BYTES_MAX) {
    throw new BadRequest(`series: labels of ${bytes} characters, want at most ${LABEL_BYTES_MAX}`);
  }
}

function checkSchedule({ targetId, intervalMs, phaseMs }: Schedule): void {
  const valid = [targetId, intervalMs, phaseMs].every((n) => Number.isInteger(n) && n >= 0 && n < 2 ** 32);
  if (valid) return;
  throw new BadRequest(`schedule: ${targetId}, ${intervalMs}, ${phaseMs}: want whole numbers of 32 bits`);
}
