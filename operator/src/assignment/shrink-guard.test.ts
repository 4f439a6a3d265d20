import { describe, expect, test } from '@jest/globals';
import type { ScrapePool } from '../discovery/findings.ts';
import { confirmMs, ShrinkGuard } from './shrink-guard.ts';

function poolsOf(count: number): readonly ScrapePool[] {
  return [{ targets: Array.from({ length: count }) } as unknown as ScrapePool];
}

describe('ShrinkGuard', () => {
  test('takes growth, small losses and small fleets at once', () => {
    for (const [before, after] of [
      [0, 1000],
      [1000, 1001],
      [1000, 500],
      [19, 0],
    ] as const) {
      const guard = new ShrinkGuard();
      guard.check(poolsOf(before), 0);
      const now = poolsOf(after);
      expect(guard.check(now, 1)).toBe(now);
      expect(guard.holding).toBe('');
    }
  });

  test('holds the old targets until a large loss has stood for a while', () => {
    const guard = new ShrinkGuard();
    const full = guard.check(poolsOf(1000), 0);
    expect(guard.check(poolsOf(10), 1000)).toBe(full);
    expect(guard.holding).toContain('10 targets found where there were 1000');
    expect(guard.check(poolsOf(11), 1000 + confirmMs - 1)).toBe(full);
    const small = poolsOf(11);
    expect(guard.check(small, 1000 + confirmMs)).toBe(small);
    expect(guard.holding).toBe('');
  });

  test('forgets its doubt when the targets come back', () => {
    const guard = new ShrinkGuard();
    const full = guard.check(poolsOf(100), 0);
    guard.check(poolsOf(0), 1);
    const back = poolsOf(100);
    expect(guard.check(back, 2)).toBe(back);
    expect(guard.check(poolsOf(0), confirmMs)).toBe(back);
    expect(full).not.toBe(back);
  });
});
