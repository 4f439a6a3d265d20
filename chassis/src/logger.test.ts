import { describe, expect, test } from '@jest/globals';
import { errorText } from './error-text.ts';
import { createLogger, type LogFields } from './logger.ts';
import { logfmtLine } from './logfmt.ts';

describe('createLogger', () => {
  const lineOf = (format: 'json' | 'logfmt', fields?: LogFields): string => {
    const lines: string[] = [];
    createLogger({ name: 'demo', format, write: (line) => lines.push(line) }).info('Block loaded', fields);
    expect(lines).toHaveLength(1);
    return lines[0]!;
  };

  test('writes logfmt with time, level, component and message first', () => {
    const line = lineOf('logfmt', { path: '/a b', samples: 3, isNew: true, none: undefined, list: [1] });
    expect(line).toMatch(
      /^time=\d{4}-\d\d-\d\dT[\d:.]+Z level=INFO component=demo msg="Block loaded" path="\/a b" samples=3 isNew=true none="" list=\[1\]\n$/,
    );
  });

  test('writes JSON', () => {
    const { time, ...rest } = JSON.parse(lineOf('json', { a: 'b', n: 1n })) as Record<string, unknown>;
    expect(rest).toEqual({ level: 'INFO', component: 'demo', msg: 'Block loaded', a: 'b', n: '1' });
    expect(typeof time).toBe('string');
  });

  test('writes errors as one line with their causes', () => {
    const err = new Error('write block', { cause: new Error('no space\nleft') });
    expect(lineOf('logfmt', { err })).toContain(' err="write block: no space left"\n');
    expect(lineOf('logfmt', { reason: err })).toContain(' reason="write block: no space left"\n');
  });

  test('masks secrets', () => {
    const line = lineOf('json', {
      token: 'abc',
      authorization: 'abc',
      basicAuthPassword: 'abc',
      tokenFile: '/t',
    });
    expect(line).not.toContain('abc');
    expect(line).toContain('"tokenFile":"/t"');
  });

  test('keeps to its level, which may change', () => {
    const lines: string[] = [];
    const log = createLogger({ name: 'demo', level: 'warn', write: (line) => lines.push(line) });
    log.info('quiet');
    log.level = 'debug';
    log.debug('loud');
    log.child({ shard: 1 }).error('child');
    expect(lines.map((line) => line.replace(/^time=\S+ /, ''))).toEqual([
      'level=DEBUG component=demo msg="loud"\n',
      'level=ERROR component=demo msg="child" shard=1\n',
    ]);
  });
});

describe('logfmtLine', () => {
  test('never breaks the line or the pair', () => {
    const check = (value: unknown, want: string): void =>
      expect(logfmtLine({ v: value })).toContain(` v=${want}\n`);
    check('plain', 'plain');
    check('', '""');
    check('a\nb', String.raw`"a\nb"`);
    check('a="b"', String.raw`"a=\"b\""`);
    check({ a: 'x y' }, String.raw`"{\"a\":\"x y\"}"`);
    check(null, '""');
    expect(logfmtLine({ 'a b=': 1 })).toContain(' a_b_=1\n');
  });
});

describe('errorText', () => {
  test('says each message once, and ends', () => {
    const check = (err: unknown, want: string): void => expect(errorText(err)).toBe(want);
    check('text', 'text');
    check(undefined, 'undefined');
    check(new Error('a: b', { cause: new Error('b') }), 'a: b');
    check(new AggregateError([new Error('connect')], ''), 'AggregateError: connect');
    check({ code: 'ENOENT' }, 'ENOENT');
    const loop = new Error('loop');
    loop.cause = loop;
    check(loop, 'loop');
  });
});
