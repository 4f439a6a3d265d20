import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBlocks } from './create-blocks.ts';
import { analyze, dump, goDuration, listBlocks, verify } from './inspect.ts';
import { parseSampleLine } from './open-metrics.ts';

let dir: string;
let lines: string[];
let errors: string[];
const printer = {
  out: (line: string) => void lines.push(line),
  err: (line: string) => void errors.push(line),
};

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'flotilla-cli-tsdb-'));
  lines = [];
  errors = [];
});

afterEach(() => rmSync(dir, { recursive: true, force: true }));

const TEXT = `# TYPE x counter
x_total{a="b\\"\\n\\\\q",c="d"} 1 1700000000.5
x_total{a="z"} 2.5e10 1700000001 # {trace="1"} 1 1700000001
{"with.dot",a="z"} NaN 1699999000
y -Inf 1700010000
# EOF
`;

async function imported(): Promise<string> {
  const data = join(dir, 'data');
  writeFileSync(join(dir, 'in.om'), TEXT);
  await createBlocks(join(dir, 'in.om'), data, { label: ['site=x'], quiet: true }, printer);
  return data;
}

describe('tsdb', () => {
  test('imports OpenMetrics as blocks of two hours, and dumps them', async () => {
    const data = await imported();
    await dump(data, {}, printer);
    expect(lines).toEqual([
      '{__name__="with.dot", a="z", site="x"} NaN 1699999000000',
      '{__name__="x_total", a="b\\"\\n\\\\q", c="d", site="x"} 1 1700000000500',
      '{__name__="x_total", a="z", site="x"} 2.5e+10 1700000001000',
      '{__name__="y", site="x"} -Inf 1700010000000',
    ]);
    lines = [];
    await dump(data, { match: ['x_total{a="z"}', 'y'], minTime: '0', maxTime: '1700000001000' }, printer);
    expect(lines).toEqual(['{__name__="x_total", a="z", site="x"} 2.5e+10 1700000001000']);
  });

  test('lists, analyzes and verifies', async () => {
    const data = await imported();
    listBlocks(data, false, printer);
    expect(lines[0]).toBe(
      'BLOCK ULID                  MIN TIME       MAX TIME       DURATION     NUM SAMPLES  NUM CHUNKS   NUM SERIES   SIZE',
    );
    expect(lines[1]).toMatch(/^\w{26} {2}1699999000000 {2}1699999000001 {2}1ms {10}1 {12}1 {12}1 {12}\d+$/);
    expect(lines).toHaveLength(4);
    lines = [];
    expect(analyze(data, undefined, 20, printer)).toBe(true);
    expect(lines.slice(1, 6)).toEqual([
      'Duration: 1ms',
      'Total Series: 1',
      'Label names: 2',
      'Postings (unique label pairs): 2',
      'Postings entries (total label pairs): 2',
    ]);
    expect(analyze(data, 'none', 20, printer)).toBe(false);
    lines = [];
    expect(verify(data, printer)).toBe(true);
    expect(lines).toEqual(['3 blocks, 0 problems']);
    const chunks = join(data, readdirSync(data)[0]!, 'chunks', '000001');
    const bytes = readFileSync(chunks);
    bytes[12]! ^= 1;
    writeFileSync(chunks, bytes);
    errors = [];
    expect(verify(data, printer)).toBe(false);
    expect(errors.join()).toContain('checksum');
    expect(readFileSync(chunks).equals(bytes)).toBe(true);
  });

  test('prints durations as Go does', () => {
    const check = (ms: number, want: string): void => expect(goDuration(ms)).toBe(want);
    check(0, '0s');
    check(501, '501ms');
    check(1000, '1s');
    check(7_200_000, '2h0m0s');
    check(1_770_001, '29m30.001s');
  });
});

test('lines that are wrong are named', async () => {
  const check = (line: string, want: string): void => expect(() => parseSampleLine(line)).toThrow(want);
  check('x 1', 'expected timestamp for series got none');
  check('x one 1', 'value "one"');
  check('x{a="b} 1 1', 'a string without end');
  check('x{a=b} 1 1', 'want a quoted string');
  check('x{a="b" 1 1', 'want , or }');
  check('{a="b"} 1 1', 'no metric name');
  check('x{a="b",a="c"} 1 1', 'comes twice');
  writeFileSync(join(dir, 'bad.om'), 'x 1 1\n');
  const run = createBlocks(join(dir, 'bad.om'), dir, {}, printer);
  await expect(run).rejects.toThrow('bad.om: data does not end with # EOF');
});
