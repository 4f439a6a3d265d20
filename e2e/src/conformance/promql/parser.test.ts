// Proof: all inputs of Prometheus's tables for its lexer, parser, printer and prettier give what they give there:
// tokens, error texts with positions, both printed forms, and the tree of /api/v1/parse_query.

import { expect, test } from '@jest/globals';
import { exprToJson, parseExpr, prettyExpr, printExpr, tokensOf } from '@flotilla/promql';
import type { ParserOptions } from '@flotilla/promql';
import { askOracle, type OracleAnswer, type OracleOptions, tableInputs } from './oracle.ts';

const EVERYTHING = {
  ours: {
    experimentalFunctions: true,
    extendedRangeSelectors: true,
    binopFillModifiers: true,
    durationExpressions: true,
  },
  theirs: {
    EnableExperimentalFunctions: true,
    ExperimentalDurationExpr: true,
    EnableExtendedRangeSelectors: true,
    EnableBinopFillModifiers: true,
  },
};
const NOTHING = { ours: { durationExpressions: false }, theirs: {} };

type Parsed = Omit<OracleAnswer, 'tokens'>;

function parse(query: string, options: ParserOptions): Parsed {
  try {
    const expr = parseExpr(query, options);
    const ast: unknown = JSON.parse(JSON.stringify(exprToJson(expr)));
    return { error: '', string: printExpr(expr), pretty: prettyExpr(expr), ast };
  } catch (error) {
    return { error: (error as Error).message, string: '', pretty: '', ast: null };
  }
}

function expectEqual(inputs: readonly string[], ours: ParserOptions, theirs: OracleOptions): void {
  const answers = askOracle(inputs, theirs);
  const expected = answers.map(({ error, string, pretty, ast }, i) => ({
    query: inputs[i],
    ...{ error, string, pretty, ast },
  }));
  const actual = inputs.map((query) => ({ query, ...parse(query, ours) }));
  expect(actual).toEqual(expected);
}

const inputs = tableInputs();

test('the tables are all there', () => {
  expect(inputs.length).toBeGreaterThan(700);
});

test('parser, printer and tree agree with all of the language', () => {
  expectEqual(inputs, EVERYTHING.ours, EVERYTHING.theirs);
});

test('parser, printer and tree agree without what is experimental', () => {
  expectEqual(inputs, NOTHING.ours, NOTHING.theirs);
});

test('lexers agree', () => {
  const wanted = askOracle(inputs, {}).map(({ tokens }) =>
    (tokens ?? []).filter(({ val }) => !val.startsWith('#')).map(({ pos, val }) => ({ pos, text: val })),
  );
  expect(inputs.map((query) => tokensOf(query))).toEqual(wanted);
});
