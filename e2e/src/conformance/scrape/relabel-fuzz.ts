// Random rules and labels, the same for the same seed: names, patterns and templates that meet each other often.

import { Random } from '../promql/random.ts';
import type { FileRule, RelabelRequest } from './oracle.ts';

const names = ['a', 'b', 'c', 'ab', '__address__', '__name__', '__meta_x_a', '__meta_x_b', 'a.b', 'ü', '1'];
const words = [
  ...['', 'a', 'b', 'ab', 'A', 'aB1', 'foo', 'foo-bar', '10.0.0.1:80', 'x;y', ';', '\n', 'a\nb', ' '],
  ...['true', '$1', 'é', 'ẞß', 'İi', 'ǅ', 'σς', '日本', '😀', '\\', '"', '_', '0', '007', 'a.b'],
];
const atoms = [
  ...['a', 'b', '.', '[ab]', '[^a]', '\\d', '\\w', '\\W', '\\s', '[[:alpha:]]', '\\pL', '\\.', ':', ';'],
  ...['-', '_', 'foo', '(?:a|b)', '(a)', '(b|ab)', '(.*)', '(.+?)', '(?P<x>.)', '(?i:A)', '\\Qa.b\\E', 'é'],
  ...['$', '^', '\\b', '(?:)', '\\x{1F600}', '\\n', '[a-', '(', '*'],
];
const quantifiers = ['', '', '', '', '*', '+', '?', '*?', '+?', '{2}', '{1,2}', '{0,1}?'];
const patterns = [
  '(.*)',
  '.*',
  '.+',
  '',
  '(.+)',
  '([^:]+)(?::(\\d+))?',
  '__meta_x_(.+)',
  '(?i)ab.*',
  '(a|ab)(.*)',
];
const templates = [
  ...['$1', '${1}', '$0', '$1x', '${1}x', 'x$1', '$2', '$1$2', '${x}', '$x', '$x_y', '$$', '$', '${', '${1'],
  ...['', 'lit', 'a', '$1-$1', '${1}_${2}', '$é', '${é}', '${a b}', '$01', '${01}', '$1:$2', 'é$1', '$$1'],
];
const actions = [
  ...['replace', 'replace', 'replace', 'replace', 'keep', 'drop', 'keepequal', 'dropequal', 'hashmod'],
  ...['labelmap', 'labelmap', 'labeldrop', 'labelkeep', 'lowercase', 'uppercase', 'Replace', 'DROP', 'none'],
];
const targets = [...names, '$1', '${1}_x', 'x_$2', '', 'x y', '${x}'];

const injective = ['x_$1', '${1}_x', 'é${1}${1}', '$0'];

export function relabelRequests(seed: number, count: number): RelabelRequest[] {
  const random = new Random(seed);
  return Array.from({ length: count }, () => ({
    labels: Object.fromEntries(random.some(names, 0.5).map((name) => [name, word(random)])),
    rules: Array.from({ length: 1 + random.below(4) }, (_, i) => rule(random, i)),
    scheme: random.chance(0.3) ? 'legacy' : 'utf8',
  }));
}

function word(random: Random): string {
  return random.chance(0.8) ? random.pick(words) : random.pick(words) + random.pick(words);
}

/** Mostly one that is taken: fields that its action has no use for are refused. */
function rule(random: Random, place: number): FileRule {
  const action = random.pick(actions);
  const isOdd = random.chance(0.03) && action !== 'none';
  const has = (isUsed: boolean, share: number): boolean => random.chance(isUsed ? share : 0) || isOdd;
  const kind = action.toLowerCase();
  // Which of two labels that get one name wins, is there by the order of earlier changes.
  if (kind === 'labelmap' && place > 0) return { action, regex: '(.+)', replacement: random.pick(injective) };
  const isOfNames = kind.startsWith('label');
  const isEqual = kind.endsWith('equal');
  const isCase = kind.endsWith('case');
  return {
    ...(has(kind !== 'replace', 1) && { action }),
    ...(has(!isOfNames, 0.9) && { source_labels: random.some([...names, 'absent'], 0.2) }),
    ...(has(!isOfNames && !isEqual, 0.2) && { separator: random.pick(['', ':', ';', '-', 'é']) }),
    ...(has(!/^(keep|drop|label.*)$/.test(kind), 0.98) && { target_label: random.pick(targets) }),
    ...(has(!isEqual && kind !== 'none', 0.8) && { regex: pattern(random) }),
    ...(has(kind === 'hashmod', 0.95) && { modulus: random.pick([0, 1, 2, 7, 1000, 2 ** 32, 2 ** 53 - 1]) }),
    ...(has(!isEqual && !isCase && !/^label(drop|keep)$/.test(kind), 0.7) && {
      replacement: random.pick(templates),
    }),
  };
}

function pattern(random: Random): string {
  if (random.chance(0.5)) return random.pick(patterns);
  const parts = Array.from(
    { length: 1 + random.below(4) },
    () => random.pick(atoms) + random.pick(quantifiers),
  );
  const [first = '', ...rest] = parts.join(random.chance(0.2) ? '|' : '').split('(?P<x>');
  // Go takes two groups of one name.
  return rest.length === 0 ? first : `${first}(?P<x>${rest.join('(')}`;
}
