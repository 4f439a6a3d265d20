// Parses the test language of Prometheus's promqltest: `clear`, `load`, `eval`, each up to an empty line.

import { parseDuration, parseGoFloat } from '@flotilla/model';
import { parseMetric } from '../parser/parse.ts';
import { parseSeriesLine } from './sequence.ts';
import { parseStartOffsets, type StartOffset } from './start-times.ts';
import type { EvalStatement, Expectations, LoadStatement, Statement, TextPattern } from './statement.ts';

const LOAD = /^load(?:_(with_nhcb))?\s+(.+?)$/;
const EVAL_INSTANT = /^eval(?:_(fail|warn|ordered|info))?\s+instant\s+(?:at\s+(.+?)\s+)?(.+)$/;
const EVAL_RANGE = /^eval(?:_(fail|warn|info))?\s+range\s+from\s+(.+)\s+to\s+(.+)\s+step\s+(.+?)\s+(.+)$/;
const EXPECT = /^expect\s+(ordered|fail|warn|no_warn|info|no_info)(?:\s+(regex|msg):(.+))?$/;
const EXPECT_RANGE = /^expect range vector\s+from\s+(.+)\s+to\s+(.+)\s+step\s+(.+)$/;

/** Throws SyntaxError with the line in its message. */
export function parseTest(text: string): Statement[] {
  const lines = text.split('\n').map((line) => (line.trim().startsWith('#') ? '' : line.trim()));
  const statements: Statement[] = [];
  for (let i = 0; i < lines.length;) {
    if (lines[i] === '') {
      i++;
      continue;
    }
    let end = i;
    while (end < lines.length && lines[end] !== '') end++;
    const { statement, next } = parseAt(lines, i, end);
    statements.push(statement);
    i = next;
  }
  return statements;
}

/** The statement at line `i`, whose block ends before `end`. A `clear` needs no empty line behind it. */
function parseAt(lines: readonly string[], i: number, end: number): { statement: Statement; next: number } {
  const head = lines[i]!;
  try {
    if (/^clear\b/i.test(head)) return { statement: { kind: 'clear', line: i + 1 }, next: i + 1 };
    if (/^load/i.test(head)) return { statement: parseLoad(head, lines.slice(i + 1, end), i + 1), next: end };
    if (/^eval/i.test(head)) return parseEval(lines, i, end);
  } catch (error) {
    throw new SyntaxError(`line ${i + 1}: ${String(error)}`, { cause: error });
  }
  throw new SyntaxError(`line ${i + 1}: "${head}", want clear, load or eval`);
}

function parseLoad(head: string, body: readonly string[], line: number): LoadStatement {
  const match = LOAD.exec(head);
  if (match === null) throw new SyntaxError(`"${head}", want load[_with_nhcb] <step>`);
  const startTimes = new Map<string, StartOffset[]>();
  const series = body.flatMap((one) => {
    const withStart = /^(\S+)@st\s+(.*)$/.exec(one);
    if (withStart === null) return [parseSeriesLine(one)];
    startTimes.set(parseMetric(withStart[1]!).key, parseStartOffsets(withStart[2]!));
    return [];
  });
  const withNative = match[1] !== undefined;
  return { kind: 'load', line, stepMs: parseDuration(match[2]!), series, withNative, startTimes };
}

function parseEval(
  lines: readonly string[],
  i: number,
  end: number,
): { statement: EvalStatement; next: number } {
  const head = lines[i]!;
  const range = EVAL_RANGE.exec(head);
  const instant = range === null ? EVAL_INSTANT.exec(head) : null;
  const [, mode, ...rest] = range ?? instant ?? [];
  if (range === null && instant === null)
    throw new SyntaxError(`"${head}", want eval instant at … or eval range from …`);
  const expect = expectNothing();
  applyMode(expect, mode);
  let next = i + 1;
  while (next < end && parseExpectation(expect, lines[next]!)) next++;
  if (next < end) next++; // A scalar, or the deprecated message of a failure, ends its statement.
  const statement =
    range === null ? instantStatement(rest, i + 1, expect) : rangeStatement(rest, i + 1, expect);
  return { statement, next };
}

function expectNothing(): Expectations {
  return {
    ordered: false,
    fail: undefined,
    warn: [],
    info: [],
    noWarn: false,
    noInfo: false,
    scalar: undefined,
    string: undefined,
    rangeVector: undefined,
    series: [],
  };
}

function instantStatement(
  parts: readonly (string | undefined)[],
  line: number,
  expect: Expectations,
): EvalStatement {
  const atMs = parseDuration(parts[0] ?? '0');
  return { kind: 'eval', line, expr: parts[1]!, startMs: atMs, endMs: atMs, stepMs: 0, expect };
}

function rangeStatement(
  parts: readonly (string | undefined)[],
  line: number,
  expect: Expectations,
): EvalStatement {
  const [from, to, step, expr] = parts as [string, string, string, string];
  const times = { startMs: parseDuration(from), endMs: parseDuration(to), stepMs: parseDuration(step) };
  return { kind: 'eval', line, expr, ...times, expect };
}

function applyMode(expect: Expectations, mode: string | undefined): void {
  if (mode === 'ordered') expect.ordered = true;
  if (mode === 'fail') expect.fail = {};
  if (mode === 'warn') expect.warn.push({});
  if (mode === 'info') expect.info.push({});
}

/** Takes one line in; false if it ends the statement. */
function parseExpectation(expect: Expectations, line: string): boolean {
  const deprecated = /^expected_fail_(message|regexp)\s+(.*)$/.exec(line);
  if (deprecated !== null) {
    expect.fail =
      deprecated[1] === 'message' ? { text: deprecated[2]! } : { regexp: goRegExp(deprecated[2]!) };
    return false;
  }
  const range = EXPECT_RANGE.exec(line);
  if (range !== null) {
    const [startMs, endMs, stepMs] = range.slice(1).map(parseDuration) as [number, number, number];
    expect.rangeVector = { startMs, endMs, stepMs };
    return true;
  }
  if (line.startsWith('expect string ')) {
    expect.string = unquote(line.slice('expect string '.length));
    return true;
  }
  if (line.startsWith('expect ')) {
    parseExpect(expect, line);
    return true;
  }
  const number = parseGoFloat(line);
  if (number === undefined) {
    expect.series.push(parseSeriesLine(line));
    return true;
  }
  expect.scalar = number;
  return false;
}

function parseExpect(expect: Expectations, line: string): void {
  const match = EXPECT.exec(line);
  if (match === null) throw new SyntaxError(`"${line}", want expect <type> [msg:|regex:]<text>`);
  const [, type, how, rawText = ''] = match;
  const text = rawText.trim();
  const pattern: TextPattern = how === 'msg' ? { text } : how === 'regex' ? { regexp: goRegExp(text) } : {};
  if (type === 'ordered') expect.ordered = true;
  else if (type === 'fail') expect.fail = pattern;
  else if (type === 'warn') expect.warn.push(pattern);
  else if (type === 'info') expect.info.push(pattern);
  else if (type === 'no_warn') expect.noWarn = true;
  else expect.noInfo = true;
}

/** Test files are trusted, so a JavaScript regexp will do. */
function goRegExp(text: string): RegExp {
  return new RegExp(text);
}

function unquote(text: string): string {
  if (text.startsWith('`') && text.endsWith('`') && text.length > 1) return text.slice(1, -1);
  const double = text.startsWith("'")
    ? `"${text.slice(1, -1).replaceAll("\\'", "'").replaceAll('"', '\\"')}"`
    : text;
  return JSON.parse(double) as string;
}
