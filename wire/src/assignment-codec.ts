// Assignments to bytes and back. Format: docs/format/assignment.md.

import { BadRequest, compareUtf8, CorruptionError } from '@flotilla/model';
import { createHash } from 'node:crypto';
import type {
  Assignment,
  AssignmentDiff,
  AssignmentFrame,
  Job,
  ShardSettings,
  Target,
  TargetHistograms,
} from './assignment.ts';
import { noSettings } from './assignment.ts';
import { fromAuthMessage, fromRelabelMessage } from './auth-codec.ts';
import { encodeFrame, FrameDecoder } from './framing.ts';
import { MessageType } from './schema.ts';
import { fromSettingsMessage, type SettingsMessage, toSettingsMessage } from './settings-codec.ts';

type TargetMessage = Omit<Target, 'labels' | 'histograms'> & {
  readonly labels: readonly string[];
  readonly histograms?: TargetHistograms | null;
};

interface AssignmentMessage {
  readonly version: string;
  readonly shard: number;
  readonly jobs: readonly Job[];
  readonly targets: readonly TargetMessage[];
  readonly settings?: SettingsMessage | null;
}

interface DiffMessage extends Omit<AssignmentDiff, 'targets' | 'removedTargets' | 'settings'> {
  readonly targets: readonly TargetMessage[];
  readonly removedTargets: readonly { readonly id: number; readonly handoff: boolean }[];
  readonly settings?: SettingsMessage | null;
}

interface FrameMessage {
  readonly snapshot?: {
    readonly assignment: AssignmentMessage;
    readonly handedOff: readonly number[];
  } | null;
  readonly diff?: DiffMessage | null;
  readonly keepalive?: { readonly version: string } | null;
}

const assignmentType = new MessageType<AssignmentMessage>('Assignment');
const frameType = new MessageType<FrameMessage>('AssignmentFrame');
const versionLength = 16;

/** Sorts jobs and targets into the canonical order and computes the version from the canonical bytes. */
export function canonicalAssignment(
  shard: number,
  jobs: readonly Job[],
  targets: readonly Target[],
  settings: ShardSettings = noSettings,
): Assignment {
  const sorted: Assignment = {
    version: '',
    shard,
    settings,
    jobs: jobs.toSorted((a, b) => compareUtf8(a.name, b.name)),
    targets: targets.toSorted(
      (a, b) => a.id - b.id || compareUtf8(a.job, b.job) || compareUtf8(a.url, b.url),
    ),
  };
  const version = createHash('sha256').update(encodeAssignment(sorted)).digest('hex').slice(0, versionLength);
  return { ...sorted, version };
}

export function encodeAssignment(assignment: Assignment): Uint8Array {
  return assignmentType.encode(toAssignmentMessage(assignment));
}

export function decodeAssignment(bytes: Uint8Array): Assignment {
  return fromAssignmentMessage(assignmentType.decode(bytes));
}

/** The scraper's file of what it applied: one checksummed frame, so that damage is noticed. */
export function encodeAssignmentFile(assignment: Assignment): Uint8Array {
  return encodeFrame(encodeAssignment(assignment));
}

/** Throws CorruptionError with the path. */
export function decodeAssignmentFile(path: string, bytes: Uint8Array): Assignment {
  try {
    const decoder = new FrameDecoder();
    const [payload, ...rest] = decoder.push(bytes);
    decoder.end();
    if (payload === undefined || rest.length > 0)
      throw new BadRequest(`${rest.length} frames too many or none`);
    return decodeAssignment(payload);
  } catch (cause) {
    throw new CorruptionError(path, 0, (cause as Error).message, { cause });
  }
}

export function encodeAssignmentFrame(frame: AssignmentFrame): Uint8Array {
  switch (frame.kind) {
    case 'snapshot':
      return frameType.encode({
        snapshot: { assignment: toAssignmentMessage(frame.assignment), handedOff: frame.handedOff },
      });
    case 'diff':
      return frameType.encode({ diff: toDiffMessage(frame.diff) });
    case 'keepalive':
      return frameType.encode({ keepalive: { version: frame.version } });
  }
}

export function decodeAssignmentFrame(payload: Uint8Array): AssignmentFrame {
  const { snapshot, diff, keepalive } = frameType.decode(payload);
  if (snapshot) {
    return {
      kind: 'snapshot',
      assignment: fromAssignmentMessage(snapshot.assignment),
      handedOff: [...snapshot.handedOff],
    };
  }
  if (diff) return { kind: 'diff', diff: fromDiffMessage(diff) };
  if (keepalive) return { kind: 'keepalive', version: keepalive.version };
  throw new BadRequest('AssignmentFrame: none of snapshot, diff and keepalive is set');
}

function toAssignmentMessage(assignment: Assignment): AssignmentMessage {
  const { settings, ...rest } = assignment;
  return { ...rest, targets: assignment.targets.map(toTargetMessage), ...toSettingsMessage(settings) };
}

function fromAssignmentMessage(message: AssignmentMessage): Assignment {
  const { version, shard, jobs, targets } = message;
  const settings = fromSettingsMessage(message.settings);
  return {
    version,
    shard,
    jobs: jobs.map(fromJobMessage),
    targets: targets.map(fromTargetMessage),
    settings,
  };
}

function toDiffMessage({ settings, ...diff }: AssignmentDiff): DiffMessage {
  return {
    ...diff,
    ...toSettingsMessage(settings),
    targets: diff.targets.map(toTargetMessage),
    removedTargets: diff.removedTargets.map(({ id, reason }) => ({ id, handoff: reason === 'handoff' })),
  };
}

function fromDiffMessage(diff: DiffMessage): AssignmentDiff {
  return {
    fromVersion: diff.fromVersion,
    toVersion: diff.toVersion,
    jobs: diff.jobs.map(fromJobMessage),
    removedJobs: [...diff.removedJobs],
    targets: diff.targets.map(fromTargetMessage),
    removedTargets: diff.removedTargets.map(({ id, handoff }) => ({
      id,
      reason: handoff ? 'handoff' : 'gone',
    })),
    ...(diff.settings && { settings: fromSettingsMessage(diff.settings) }),
  };
}

function toTargetMessage(target: Target): TargetMessage {
  return { ...target, labels: target.labels.flat() };
}

function fromTargetMessage(message: TargetMessage): Target {
  const { id, job, url, labels, intervalMs, timeoutMs, slot, unixSocket, histograms } = message;
  if (labels.length % 2 !== 0)
    throw new BadRequest(`Target ${url}: ${labels.length} label strings, want pairs`);
  const pairs = Array.from(
    { length: labels.length / 2 },
    (_, index) => [labels[index * 2]!, labels[index * 2 + 1]!] as const,
  );
  return {
    ...{ id, job, url, labels: pairs, intervalMs, timeoutMs, slot },
    ...(unixSocket !== undefined && unixSocket !== '' && { unixSocket }),
    ...(histograms && {
      histograms: {
        scrapeNativeHistograms: histograms.scrapeNativeHistograms,
        alwaysScrapeClassicHistograms: histograms.alwaysScrapeClassicHistograms,
        convertClassicHistogramsToNhcb: histograms.convertClassicHistogramsToNhcb,
      },
    }),
  };
}

/** Own plain objects instead of protobuf's, which read absent fields off their prototypes. */
function fromJobMessage(job: Job): Job {
  return {
    name: job.name,
    intervalMs: job.intervalMs,
    timeoutMs: job.timeoutMs,
    honorLabels: job.honorLabels,
    honorTimestamps: job.honorTimestamps,
    trackTimestampsStaleness: job.trackTimestampsStaleness,
    enableCompression: job.enableCompression,
    followRedirects: job.followRedirects,
    scrapeProtocols: [...job.scrapeProtocols],
    fallbackScrapeProtocol: job.fallbackScrapeProtocol,
    scrapeNativeHistograms: job.scrapeNativeHistograms,
    alwaysScrapeClassicHistograms: job.alwaysScrapeClassicHistograms,
    convertClassicHistogramsToNhcb: job.convertClassicHistogramsToNhcb,
    nativeHistogramMinBucketFactor: job.nativeHistogramMinBucketFactor,
    nameValidationScheme: job.nameValidationScheme,
    nameEscapingScheme: job.nameEscapingScheme,
    limits: fromLimitsMessage(job.limits),
    metricRelabelings: job.metricRelabelings.map(fromRelabelMessage),
    auth: fromAuthMessage(job.auth),
  };
}

function fromLimitsMessage(limits: Job['limits'] | null | undefined): Job['limits'] {
  return {
    bodySizeBytes: limits?.bodySizeBytes ?? 0,
    samples: limits?.samples ?? 0,
    targets: limits?.targets ?? 0,
    labels: limits?.labels ?? 0,
    labelNameLength: limits?.labelNameLength ?? 0,
    labelValueLength: limits?.labelValueLength ?? 0,
    histogramBuckets: limits?.histogramBuckets ?? 0,
    series: limits?.series ?? 0,
    shardSeries: limits?.shardSeries ?? 0,
  };
}
