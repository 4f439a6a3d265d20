// Expected and received alerts as one JSON text, with colours for a terminal: red is only expected, green only received,
// yellow is another value.

import type { Labels } from '@flotilla/model';

export interface LabelsAndAnnotations {
  readonly labels: Labels;
  readonly annotations: Labels;
}

const red = '\u001B[0;31m';
const green = '\u001B[0;32m';
const yellow = '\u001B[0;33m';
const plain = '\u001B[0m';
const indent = '    ';

/** Alerts are compared by their places. */
export function alertDiff(
  want: readonly LabelsAndAnnotations[],
  got: readonly LabelsAndAnnotations[],
): string {
  // Nothing at all is one empty alert, so that the other side is shown field by field.
  const [a, b] = [want.length > 0 ? want : [undefined], got.length > 0 ? got : [undefined]];
  const entries = Array.from({ length: Math.max(a.length, b.length) }, (_, i) => {
    const lines = alertLines(i < a.length, a[i], i < b.length, b[i]);
    return lines.map((line) => indent + line).join('\n');
  });
  return `[\n${entries.join(',\n')}\n]`;
}

function alertLines(
  isWanted: boolean,
  want: LabelsAndAnnotations | undefined,
  isGot: boolean,
  got: LabelsAndAnnotations | undefined,
): string[] {
  const colour = isWanted && isGot ? '' : isWanted ? red : green;
  const fields = [
    ...block('Annotations', want?.annotations, got?.annotations, ',', colour),
    ...block('Labels', want?.labels, got?.labels, '', colour),
  ];
  return [painted('{', colour), ...fields.map((line) => indent + line), painted('}', colour)];
}

function block(
  name: string,
  want: Labels | undefined,
  got: Labels | undefined,
  end: string,
  colour: string,
): string[] {
  const [a, b] = [new Map(want ?? []), new Map(got ?? [])];
  const keys = [...new Set([...a.keys(), ...b.keys()])].toSorted();
  if (keys.length === 0) return [painted(`"${name}": {}`, colour) + end];
  const fields = keys.map((key, i) => {
    const line = field(key, a.get(key), b.get(key), colour);
    return indent + line + (i < keys.length - 1 ? ',' : '');
  });
  return [painted(`"${name}": {`, colour), ...fields, painted('}', colour) + end];
}

function field(key: string, want: string | undefined, got: string | undefined, colour: string): string {
  const name = JSON.stringify(key);
  const value = JSON.stringify(got ?? want);
  if (colour !== '' || want === got) return painted(`${name}: ${value}`, colour);
  if (want !== undefined && got !== undefined)
    return `${name}: ${painted(`${JSON.stringify(want)} => ${value}`, yellow)}`;
  return painted(`${name}: ${value}`, want === undefined ? green : red);
}

function painted(text: string, colour: string): string {
  return colour === '' ? text : `${colour}${text}${plain}`;
}
