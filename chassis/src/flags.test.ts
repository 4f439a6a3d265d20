import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { defineFlags } from './flag-spec.ts';
import { parseFlags } from './flags.ts';
import { internalTokenFile, standardFlags } from './standard-flags.ts';
import { folderOf } from './test-server.ts';
import { ProgramExit } from './usage.ts';

const spec = defineFlags({
  'config.file': { type: 'string', help: 'Configuration.' },
  'web.listen-address': { type: 'string', default: '127.0.0.1:0', help: 'Address.' },
  'query.timeout': { type: 'duration', default: '2m', min: 1, help: 'Timeout.' },
  'query.max-bytes': { type: 'bytes', default: '64MB', help: 'Bytes.' },
  'query.max-samples': { type: 'number', default: 50, min: 1, max: 100, help: 'Samples.' },
  'log.level': { type: 'string', default: 'info', choices: ['info', 'warn'], help: 'Level.' },
  'source.folder': { type: 'list', help: 'Folders.' },
  local: { type: 'boolean', help: 'Local.' },
  'cache.on': { type: 'boolean', default: true, help: 'Cache.' },
});

function exitOf(argv: string[], flags: Parameters<typeof parseFlags>[0] = spec): ProgramExit {
  try {
    parseFlags(flags, argv, 'demo');
  } catch (err) {
    if (err instanceof ProgramExit) return err;
    throw err;
  }
  throw new Error('parsed, want an error');
}

function configFile(source: string): string {
  return `--config.file=${join(folderOf({ 'config.yaml': source }), 'config.yaml')}`;
}

describe('parseFlags', () => {
  test('gives defaults in their own types, frozen', () => {
    const config = parseFlags(spec, []);
    const timeoutMs: number = config['query.timeout'];
    const level: 'info' | 'warn' = config['log.level'];
    const file: string | undefined = config['config.file'];
    expect([timeoutMs, level, file]).toEqual([120_000, 'info', undefined]);
    expect(config['query.max-bytes']).toBe(64 << 20);
    expect(config['source.folder']).toEqual([]);
    expect([config.local, config['cache.on']]).toEqual([false, true]);
    expect(Object.isFrozen(config) && Object.isFrozen(config['source.folder'])).toBe(true);
  });

  test('reads every way to write a flag', () => {
    const check = (argv: string[], name: keyof typeof spec, want: unknown): void =>
      expect(parseFlags(spec, argv)[name]).toEqual(want);
    check(['--query.timeout=1h30m'], 'query.timeout', 5_400_000);
    check(['--query.timeout', '5s'], 'query.timeout', 5000);
    check(['--query.max-samples=1e2'], 'query.max-samples', 100);
    check(['--local'], 'local', true);
    check(['--local=false'], 'local', false);
    check(['--no-cache.on'], 'cache.on', false);
    check(['--source.folder=a,b', '--source.folder', 'c'], 'source.folder', ['a,b', 'c']);
    check(['--web.listen-address='], 'web.listen-address', '');
    check(['--web.listen-address=-x'], 'web.listen-address', '-x');
  });

  test('names the flag, the value and what it wants', () => {
    const check = (argv: string[], want: string): void => {
      const exit = exitOf(argv);
      expect(exit.exitCode).toBe(2);
      expect(exit.message.split('\n')[0]).toBe(`demo: ${want}`);
    };
    check(
      ['--query.timeout=5'],
      'flag --query.timeout: got "5", want a duration such as 30s or 1h30m of at least 1 ms',
    );
    check(['--query.max-bytes=x'], 'flag --query.max-bytes: got "x", want a size such as 64KB or 1GB');
    check(
      ['--query.max-samples=0x10'],
      'flag --query.max-samples: got "0x10", want a number of at least 1 and at most 100',
    );
    check(
      ['--query.max-samples=101'],
      'flag --query.max-samples: got "101", want a number of at least 1 and at most 100',
    );
    check(['--log.level=loud'], 'flag --log.level: got "loud", want one of info, warn');
    check(['--local=yes'], 'flag --local: got "yes", want true or false');
    check(
      ['--query.timeout'],
      'flag --query.timeout: no value, want a duration such as 30s or 1h30m of at least 1 ms',
    );
    check(['--query.timout=1s'], 'flag --query.timout: unknown (did you mean --query.timeout?)');
    check(['--__proto__=1'], 'flag --__proto__: unknown');
    check(['--toString'], 'flag --toString: unknown');
    check(['--no-query.timeout'], 'flag --no-query.timeout: unknown (did you mean --query.timeout?)');
    check(['--local', '--local'], 'flag --local: given twice, want it once');
    check(['stray'], 'argument "stray": unexpected, want flags only');
    check(
      ['--web.listen-address', '--local'],
      'flag --web.listen-address: got "--local", want a text (write --web.listen-address=--local if it is meant)',
    );
  });

  test('wants required flags', () => {
    const required = defineFlags({ 'storage.path': { type: 'string', required: true, help: 'Path.' } });
    const path: string = parseFlags(required, ['--storage.path=x'])['storage.path'];
    expect(path).toBe('x');
    expect(exitOf([], required).message).toContain('flag --storage.path: missing, want a text');
  });

  test('prints help and version for code 0', () => {
    for (const flag of ['--help', '-h']) {
      expect(exitOf([flag]).exitCode).toBe(0);
      expect(exitOf([flag]).message).toContain('  --query.timeout="2m"\n        Timeout.\n');
    }
    expect(exitOf(['--help']).message).toContain('--[no-]cache.on\n');
    expect(exitOf(['--version']).message).toMatch(/^demo, version \d+\.\d+\.\d+\n$/);
  });
});

describe('--config.file', () => {
  test('takes nested and dotted keys, and flags win', () => {
    const file = configFile(
      'web: {listen-address: ":1"}\nquery.timeout: 5m\nquery:\n  max-samples: 7\nsource.folder: [a, b]\nlocal: true\n',
    );
    const config = parseFlags(spec, [file, '--query.timeout=1m']);
    expect(config['web.listen-address']).toBe(':1');
    expect(config['query.timeout']).toBe(60_000);
    expect(config['query.max-samples']).toBe(7);
    expect(config['source.folder']).toEqual(['a', 'b']);
    expect(config.local).toBe(true);
  });

  test('may be empty', () => {
    expect(parseFlags(spec, [configFile('')]).local).toBe(false);
    expect(parseFlags(spec, [configFile('# nothing\n')]).local).toBe(false);
  });

  test('refuses what it does not know, by name', () => {
    const check = (source: string, want: string): void =>
      expect(exitOf([configFile(source)]).message).toContain(want);
    check('web: {listen-adress: x}', 'key "web.listen-adress": unknown (did you mean web.listen-address?)');
    check('query.timeout: {a: 1}', 'key "query.timeout": got {"a":1}, want a text, a number or true/false');
    check('query.timeout: soon', 'flag --query.timeout: got "soon", want a duration');
    check('web.listen-address: x\nweb: {listen-address: y}', 'key "web.listen-address": given twice');
    check('[1]', 'got no mapping, want flag names as keys');
    check('a: [', ': line ');
    expect(exitOf(['--config.file=/nowhere/x.yaml']).message).toContain('/nowhere/x.yaml');
  });
});

describe('standardFlags', () => {
  test('can be spread, with other defaults', () => {
    const own = defineFlags({
      ...standardFlags,
      'web.listen-address': { type: 'string', default: '0.0.0.0:9090', help: 'Address.' },
    });
    const config = parseFlags(own, ['--log.format=json']);
    expect(config['web.listen-address']).toBe('0.0.0.0:9090');
    expect(config['log.format']).toBe('json');
    expect(config['web.max-connections']).toBe(512);
  });

  test('open internal endpoints only when asked', () => {
    const tokenOf = (...argv: string[]): string | undefined =>
      internalTokenFile(parseFlags(standardFlags, argv));
    expect(tokenOf('--internal.token-file=/t')).toBe('/t');
    expect(tokenOf('--internal.insecure')).toBeUndefined();
    expect(() => tokenOf()).toThrow('flag --internal.token-file: missing');
  });
});
