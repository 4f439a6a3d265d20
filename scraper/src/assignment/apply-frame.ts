// What a frame of the assignment stream makes of the assignment that is applied. Pure.

import {
  type Assignment,
  type AssignmentDiff,
  type AssignmentFrame,
  canonicalAssignment,
  type RemovalReason,
} from '@flotilla/wire';

export interface AssignmentChange {
  readonly assignment: Assignment;
  /** Targets that other shards have now; whatever else is missing is gone. */
  readonly reasons: ReadonlyMap<number, RemovalReason>;
}

/**
 * The change that a frame brings; undefined if none.
 *
 * 'resync': the frame does not fit what is applied: only a snapshot helps, so ask again with an empty version.
 */
export function applyFrame(
  current: Assignment | undefined,
  frame: AssignmentFrame,
): AssignmentChange | 'resync' | undefined {
  if (frame.kind === 'keepalive') {
    return frame.version === (current?.version ?? '') ? undefined : 'resync';
  }
  if (frame.kind === 'snapshot') {
    const reasons = new Map(frame.handedOff.map((id) => [id, 'handoff'] as const));
    return { assignment: frame.assignment, reasons };
  }
  return current?.version === frame.diff.fromVersion ? applyDiff(current, frame.diff) : 'resync';
}

/** The result is trusted only if it hashes to the version that the operator has. */
function applyDiff(current: Assignment, diff: AssignmentDiff): AssignmentChange | 'resync' {
  const jobs = new Map(current.jobs.map((job) => [job.name, job]));
  for (const name of diff.removedJobs) jobs.delete(name);
  for (const job of diff.jobs) jobs.set(job.name, job);
  const targets = new Map(current.targets.map((target) => [target.id, target]));
  for (const { id } of diff.removedTargets) targets.delete(id);
  for (const target of diff.targets) targets.set(target.id, target);
  const { settings } = diff;
  const assignment = canonicalAssignment(current.shard, [...jobs.values()], [...targets.values()], settings);
  if (assignment.version !== diff.toVersion) return 'resync';
  return { assignment, reasons: new Map(diff.removedTargets.map(({ id, reason }) => [id, reason])) };
}
