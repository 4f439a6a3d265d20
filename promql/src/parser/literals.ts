// Number, duration and string tokens as values and nodes.

import { parseDuration } from '@flotilla/model';

import type { NumberLiteral, StringLiteral } from '../ast.ts';
import { fromByteText } from './byte-text.ts';
import { parseNumber } from './parse-number.ts';
import { unquote } from './scan-string.ts';
import { tokenRange, type Token } from './token.ts';
import type { TokenStream } from './token-stream.ts';

function durationSeconds(stream: TokenStream, token: Token): number {
  try {
    const ms = parseDuration(token.text);
    // As Go's Duration.Seconds, which adds the fraction last.
    return Math.floor(ms / 1000) + ((ms % 1000) * 1e6) / 1e9;
  } catch (error) {
    return stream.error((error as Error).message, tokenRange(token), error);
  }
}

function numberValue(stream: TokenStream, token: Token): number {
  try {
    return parseNumber(token.text);
  } catch (error) {
    return stream.error(`error parsing number: ${(error as Error).message}`, tokenRange(token), error);
  }
}

/** Takes a number or a duration, which counts in seconds, if one is next. */
export function acceptNumber(stream: TokenStream): NumberLiteral | undefined {
  const token = stream.accept('number', 'duration');
  if (token === undefined) return undefined;
  const isDuration = token.type === 'duration';
  const value = isDuration ? durationSeconds(stream, token) : numberValue(stream, token);
  return { kind: 'number', value, isDuration, pos: tokenRange(token) };
}

/** The number with the sign in front of it taken in. */
export function signed(sign: Token, literal: NumberLiteral): NumberLiteral {
  const value = sign.type === '-' ? -literal.value : literal.value;
  return { ...literal, value, pos: { start: sign.pos, end: literal.pos.end } };
}

/** Value of a string token. */
export function stringValue(token: Token): string {
  return fromByteText(unquote(token.text));
}

export function stringLiteral(token: Token): StringLiteral {
  return { kind: 'string', value: stringValue(token), pos: tokenRange(token) };
}
