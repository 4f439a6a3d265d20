// Hot: matcher values go through here once per distinct label value.
//
// A glob is literals with gaps between: prefix, middles…, suffix. It is what most regexps in real queries are
// (`prod-.+`, `.*gateway.*`, `.*`), and greedy leftmost search decides it exactly.
//
// Invariant: literals.length === gaps.length + 1, gaps is not empty, and only the first and last literal may be ''.
// A gap is the fewest runes it may span, 0 or 1, which for whole code points is the same as code units.

export interface Glob {
  readonly literals: readonly string[];
  readonly gaps: readonly (0 | 1)[];
}

export function matchGlob(glob: Glob, s: string): boolean {
  const { literals, gaps } = glob;
  const last = gaps.length - 1;
  if (!s.startsWith(literals[0]!)) return false;
  let position = literals[0]!.length;
  for (let i = 0; i < last; i++) {
    const at = s.indexOf(literals[i + 1]!, position + gaps[i]!);
    if (at < 0) return false;
    position = at + literals[i + 1]!.length;
  }
  const suffix = literals[last + 1]!;
  return s.length - suffix.length >= position + gaps[last]! && s.endsWith(suffix);
}
