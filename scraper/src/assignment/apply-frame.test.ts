import { describe, expect, test } from '@jest/globals';
import { type Assignment, type AssignmentDiff, canonicalAssignment } from '@flotilla/wire';
import { testJob, testTarget } from '../testing.ts';
import { applyFrame } from './apply-frame.ts';

const [one, two, three] = [1, 2, 3].map((id) => testTarget(`http://h:${id}/`, { id }));
const before = canonicalAssignment(0, [testJob(), testJob({ name: 'old' })], [one!, two!]);
const after = canonicalAssignment(0, [testJob(), testJob({ name: 'new' })], [two!, three!]);

function diff(change: Partial<AssignmentDiff> = {}): AssignmentDiff {
  return {
    fromVersion: before.version,
    toVersion: after.version,
    jobs: [testJob({ name: 'new' })],
    removedJobs: ['old'],
    targets: [three!],
    removedTargets: [{ id: 1, reason: 'handoff' }],
    ...change,
  };
}

describe('applyFrame', () => {
  test('takes a snapshot as it is, and who was handed off', () => {
    const reasons = new Map([[1, 'handoff']]);
    for (const current of [undefined, before]) {
      expect(applyFrame(current, { kind: 'snapshot', assignment: after, handedOff: [1] })).toEqual({
        assignment: after,
        reasons,
      });
    }
  });

  test('applies a diff that leads to the version it says', () => {
    expect(applyFrame(before, { kind: 'diff', diff: diff() })).toEqual({
      assignment: after,
      reasons: new Map([[1, 'handoff']]),
    });
  });

  test('asks for a snapshot when a frame does not fit', () => {
    const check = (current: Assignment | undefined, change: Partial<AssignmentDiff>): void =>
      expect(applyFrame(current, { kind: 'diff', diff: diff(change) })).toBe('resync');
    check(undefined, {});
    check(after, {});
    check(before, { targets: [] });
    check(before, { toVersion: 'other' });
    expect(applyFrame(before, { kind: 'keepalive', version: after.version })).toBe('resync');
    expect(applyFrame(undefined, { kind: 'keepalive', version: after.version })).toBe('resync');
  });

  test('changes nothing for a keepalive of the same version', () => {
    expect(applyFrame(before, { kind: 'keepalive', version: before.version })).toBeUndefined();
    expect(applyFrame(undefined, { kind: 'keepalive', version: '' })).toBeUndefined();
  });
});
