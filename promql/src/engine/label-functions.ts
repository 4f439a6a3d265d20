// label_replace() and label_join(): functions of labels alone.

import {
  AnchoredRegexp,
  isValidUtf8Name,
  Labels,
  LabelsBuilder,
  METRIC_NAME,
  PatternError,
} from '@flotilla/model';
import { fail } from './errors.ts';
import { listOf, type SeriesList } from './series-list.ts';

/** How a function gives one series its labels; undefined leaves them. */
type Rewrite = (labels: Labels) => Labels | undefined;

/** A series that is given a name keeps it, even if it was to lose its old one. */
function rewriteAll(list: SeriesList, target: string, rewrite: Rewrite): SeriesList {
  const doomed = list.doomed.slice();
  const labels = list.labels.map((one, i) => {
    const changed = rewrite(one);
    if (changed !== undefined && target === METRIC_NAME) doomed[i] = 0;
    return changed ?? one;
  });
  return listOf(labels, false, doomed);
}

function compile(pattern: string): AnchoredRegexp {
  try {
    return new AnchoredRegexp(pattern);
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    return fail(`invalid regular expression in label_replace(): ${pattern}`);
  }
}

/** Throws at once for a bad regexp or name: arguments are wrong whatever the series are. */
export function labelReplace(args: readonly string[]): (list: SeriesList) => SeriesList {
  const [target = '', replacement = '', source = '', pattern = ''] = args;
  const regexp = compile(pattern);
  if (!isValidUtf8Name(target)) fail(`invalid destination label name in label_replace(): ${target}`);
  return (list) =>
    rewriteAll(list, target, (labels) => {
      const match = regexp.capture(labels.get(source));
      if (match === undefined) return undefined;
      return new LabelsBuilder(labels).set(target, regexp.expand(replacement, match)).labels();
    });
}

export function labelJoin(args: readonly string[]): (list: SeriesList) => SeriesList {
  const [target = '', separator = '', ...sources] = args;
  for (const source of sources) {
    if (!isValidUtf8Name(source)) fail(`invalid source label name in label_join(): ${source}`);
  }
  if (!isValidUtf8Name(target)) fail(`invalid destination label name in label_join(): ${target}`);
  return (list) =>
    rewriteAll(list, target, (labels) => {
      const joined = sources.map((source) => labels.get(source)).join(separator);
      return new LabelsBuilder(labels).set(target, joined).labels();
    });
}
