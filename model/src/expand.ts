// Go's Regexp.Expand: `$1`, `${1}`, `$name`, `${name}`, `$$`.
//
// A name runs as far as letters, digits and underscores go, so `$1x` is the group "1x", which no pattern has: empty.
// A `$` that starts none of these stays as it is.

import { ValueCache } from './value-cache.ts';

type Piece = string | { readonly group: string };

const templates = new ValueCache(parseTemplate);

/** Splits a template into text and group references. */
function parseTemplate(template: string): Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  for (const match of template.matchAll(/\$(?:\$|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/gu)) {
    pieces.push(template.slice(end, match.index));
    const group = match[1] ?? match[2];
    pieces.push(group === undefined ? '$' : { group });
    end = match.index + match[0].length;
  }
  pieces.push(template.slice(end));
  return pieces;
}

/** Fills a template in. `names` maps group names to their numbers. */
export function expandTemplate(
  template: string,
  match: readonly (string | undefined)[],
  names: Readonly<Record<string, number>>,
): string {
  let text = '';
  for (const piece of templates.get(template)) {
    text += typeof piece === 'string' ? piece : (match[groupIndex(piece.group, names)] ?? '');
  }
  return text;
}

function groupIndex(group: string, names: Readonly<Record<string, number>>): number {
  if (/^(0|[1-9][0-9]{0,8})$/.test(group)) return Number(group);
  return Object.hasOwn(names, group) ? names[group]! : -1;
}
