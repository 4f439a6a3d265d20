// What stands between a binary operator and its right operand: `bool on (…) group_left (…) fill (…)`.

import type { VectorMatching } from '../ast.ts';
import { parseGrouping } from './grouping.ts';
import { acceptNumber, signed } from './literals.ts';
import { startsExpression } from './token.ts';
import type { TokenStream } from './token-stream.ts';

export interface BinaryModifiers {
  readonly returnBool: boolean;
  readonly matching: VectorMatching;
}

type Fill = Pick<VectorMatching, 'fillLeft' | 'fillRight'>;

function parseFillValue(stream: TokenStream): number {
  stream.expect('(');
  const sign = stream.accept('+', '-');
  const literal = acceptNumber(stream) ?? stream.unexpected();
  stream.expect(')');
  return sign === undefined ? literal.value : signed(sign, literal).value;
}

function parseFill(stream: TokenStream): Fill {
  if (stream.accept('fill') !== undefined) {
    const value = parseFillValue(stream);
    return { fillLeft: value, fillRight: value };
  }
  if (stream.accept('fill_left') !== undefined) {
    const fillLeft = parseFillValue(stream);
    return stream.accept('fill_right') === undefined
      ? { fillLeft }
      : { fillLeft, fillRight: parseFillValue(stream) };
  }
  if (stream.accept('fill_right') !== undefined) {
    const fillRight = parseFillValue(stream);
    return stream.accept('fill_left') === undefined
      ? { fillRight }
      : { fillLeft: parseFillValue(stream), fillRight };
  }
  return {};
}

function parseGroup(stream: TokenStream): Pick<VectorMatching, 'card' | 'include'> {
  const group = stream.accept('group_left', 'group_right');
  if (group === undefined) return { card: 'one-to-one', include: [] };
  // Labels are optional, but what cannot begin the right operand is taken for wrong labels.
  const { type } = stream.peek();
  const include = type === '(' || !startsExpression(type) ? parseGrouping(stream) : [];
  return { card: group.type === 'group_left' ? 'many-to-one' : 'one-to-many', include };
}

/** All are optional. */
export function parseBinaryModifiers(stream: TokenStream): BinaryModifiers {
  const returnBool = stream.accept('bool') !== undefined;
  const clause = stream.accept('on', 'ignoring');
  const labels = clause === undefined ? [] : parseGrouping(stream);
  const group = clause === undefined ? ({ card: 'one-to-one', include: [] } as const) : parseGroup(stream);
  const matching = { ...group, labels, on: clause?.type === 'on', ...parseFill(stream) };
  return { returnBool, matching };
}
