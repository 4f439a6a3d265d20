// The exemplars of a head that a query asks for, as /api/v1/query_exemplars gives them.

import { compareLabels, type Labels, type Matcher } from '@flotilla/model';
import type { ExemplarSeries } from '../api.ts';
import { isTurnOver, nextTurn } from '../turns.ts';
import type { Head } from './head.ts';
import { slotOf } from './ref-table.ts';

export async function selectExemplars(
  head: Head,
  sets: readonly (readonly Matcher[])[],
  minTimeMs: number,
  maxTimeMs: number,
): Promise<ExemplarSeries[]> {
  const found: ExemplarSeries[] = [];
  for (const { ref, labels: own, list } of head.exemplars.list(minTimeMs, maxTimeMs)) {
    const labels = own ?? head.index.sets.labels(slotOf(ref));
    if (sets.some((matchers) => matchesAll(matchers, labels))) {
      const exemplars = list();
      if (exemplars.length > 0) found.push({ labels, exemplars });
    }
    if (isTurnOver()) await nextTurn();
  }
  return found.toSorted((a, b) => compareLabels(a.labels, b.labels));
}

function matchesAll(matchers: readonly Matcher[], labels: Labels): boolean {
  return matchers.every((matcher) => matcher.matches(labels.get(matcher.name)));
}
