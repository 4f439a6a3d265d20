// How well a name fits what was typed, from 0 to 1, as Prometheus's search API scores it: by substring and Jaro-Winkler
// likeness, or as a sequence of characters with gaps. Characters are code points.

export type FuzzyAlgorithm = 'subsequence' | 'jarowinkler';

/** undefined: it does not fit. */
type Score = (value: string) => number | undefined;

export interface SearchTerms {
  readonly terms: readonly string[];
  readonly algorithm: FuzzyAlgorithm;
  /** 0 to 1; of Jaro-Winkler, 0 means substrings alone. */
  readonly threshold: number;
  readonly isCaseSensitive: boolean;
}

/** Any term will do, the best one counts; without terms everything fits. */
export function searchScore({ terms, algorithm, threshold, isCaseSensitive }: SearchTerms): Score {
  const folded = (text: string): string => (isCaseSensitive ? text : text.toLowerCase());
  const scores = terms
    .filter((term) => term !== '')
    .map((term) => (algorithm === 'subsequence' ? bySequence : byLikeness)(folded(term), threshold));
  if (scores.length === 0) return () => 1;
  return (value) => {
    const text = folded(value);
    const fitting = scores.map((score) => score(text)).filter((score) => score !== undefined);
    return fitting.length === 0 ? undefined : Math.max(...fitting);
  };
}

function bySequence(term: string, threshold: number): Score {
  const pattern = charactersOf(term);
  return (value) => {
    if (value.startsWith(term)) return 1;
    const score = sequenceScore(pattern, charactersOf(value));
    return score > 0 && score >= threshold ? score : undefined;
  };
}

function byLikeness(term: string, threshold: number): Score {
  const pattern = charactersOf(term);
  return (value) => {
    const at = value.indexOf(term);
    if (at >= 0) return substringScore(charactersOf(value.slice(0, at)).length, pattern, charactersOf(value));
    if (threshold === 0) return undefined;
    const score = likeness(pattern, charactersOf(value));
    return score >= threshold ? score : undefined;
  };
}

type Characters = ArrayLike<string>;

function charactersOf(text: string): Characters {
  // oxlint-disable-next-line no-control-regex
  return /^[\x00-\x7f]*$/.test(text) ? text : Array.from(text);
}

/** The earlier the better, at least 0.1. */
function substringScore(at: number, term: Characters, value: Characters): number {
  return at === 0 ? 1 : 1 - (0.9 * at) / (value.length - term.length);
}

/** The best of all places where the sequence may begin. */
function sequenceScore(pattern: Characters, text: Characters): number {
  let best = -1;
  for (let from = 0; from <= text.length - pattern.length; from++) {
    if (text[from] !== pattern[0]) continue;
    const score = sequenceFrom(pattern, text, from);
    if (score === undefined) break;
    best = Math.max(best, score);
  }
  return best < 0 ? 0 : (best / (pattern.length * pattern.length)) * 0.999;
}

/** Runs count by their squares, gaps take a little away; undefined if the text ends before the pattern. */
function sequenceFrom(pattern: Characters, text: Characters, from: number): number | undefined {
  const gapCost = 1 / text.length;
  let score = 0;
  let done = 0;
  let end = 0;
  for (let at = from; done < pattern.length;) {
    while (at < text.length && text[at] !== pattern[done]) at++;
    if (at === text.length) return undefined;
    const begin = at;
    while (at < text.length && done < pattern.length && text[at] === pattern[done]) {
      at++;
      done++;
    }
    score -= (begin - end) * gapCost;
    score += (at - begin) ** 2;
    end = at;
  }
  return score - (text.length - end) * gapCost * 0.5;
}

/** Jaro's likeness, with Winkler's bonus for a common beginning. */
function likeness(a: Characters, b: Characters): number {
  const [short, long] = a.length > b.length ? [b, a] : [a, b];
  if (short.length === 0) return 0;
  const { matched, swapped } = matches(short, long);
  if (matched === 0) return 0;
  const parts =
    matched * (1 / short.length) + matched * (1 / long.length) + (matched - swapped * 0.5) / matched;
  const jaro = parts / 3;
  let common = 0;
  while (common < Math.min(4, short.length) && short[common] === long[common]) common++;
  return jaro + common * 0.1 * (1 - jaro);
}

/** Characters that both have not far apart, and how many of them are in another order. */
function matches(short: Characters, long: Characters): { matched: number; swapped: number } {
  const distance = Math.max(Math.floor(long.length / 2) - 1, 0);
  const isTaken = new Uint8Array(long.length);
  const found: string[] = [];
  for (let i = 0; i < short.length; i++) {
    const end = Math.min(i + distance + 1, long.length);
    for (let j = Math.max(i - distance, 0); j < end; j++) {
      if (isTaken[j] === 1 || short[i] !== long[j]) continue;
      isTaken[j] = 1;
      found.push(short[i]!);
      break;
    }
  }
  const others = Array.from(long).filter((_, j) => isTaken[j] === 1);
  return { matched: found.length, swapped: found.filter((one, i) => one !== others[i]).length };
}
