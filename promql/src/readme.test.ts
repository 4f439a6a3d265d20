// The example of README.md does what it says there.

import { expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

test('the example runs, and prints what its comment says', () => {
  const room = join(import.meta.dirname, '..');
  const [, example = ''] = /```ts\n(.*?)```/s.exec(readFileSync(join(room, 'README.md'), 'utf8')) ?? [];
  expect(example.split('\n').filter((line) => line !== '').length).toBeLessThanOrEqual(30);
  const [, want] = /console\.log\(.*\/\/ (.*)\n$/.exec(example) ?? [];
  const args = ['--no-warnings', '--input-type=module-typescript', '--eval', example];
  const printed = execFileSync(process.execPath, args, { cwd: room, encoding: 'utf8' });
  expect(printed.trim().replaceAll(/\s+/g, ' ')).toBe(want);
});
