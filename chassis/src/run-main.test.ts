import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from '@jest/globals';

const children = new Set<ChildProcess>();
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
});

interface Daemon {
  readonly child: ChildProcess;
  /** Resolves when a line with `text` was written. */
  readonly wrote: (text: string) => Promise<void>;
  /** Exit code and everything that was written. */
  readonly ended: Promise<{ code: number | null; text: string }>;
}

function start(...argv: string[]): Daemon {
  const path = fileURLToPath(new URL('./test-daemon.js', import.meta.url));
  const child = spawn(process.execPath, [path, ...argv], { stdio: ['pipe', 'pipe', 'pipe'] });
  children.add(child);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  }
  const ended = once(child, 'close').then(([code]) => {
    children.delete(child);
    return { code: code as number | null, text };
  });
  const wrote = async (want: string): Promise<void> => {
    while (!text.includes(want)) {
      const gone = await Promise.race([once(child.stdout, 'data').then(() => false), ended.then(() => true)]);
      if (gone && !text.includes(want)) throw new Error(`ended without "${want}": ${text}`);
    }
  };
  return { child, wrote, ended };
}

describe('runMain', () => {
  test('stops on SIGTERM and SIGINT, the last part first, with code 0', async () => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const { child, wrote, ended } = start();
      await wrote('Started');
      child.kill(signal);
      const { code, text } = await ended;
      expect([code, text]).toEqual([0, expect.stringContaining(`msg="Shutting down" reason=${signal}\n`)]);
      expect(text).toMatch(/msg="First part stopped"\n.*msg="See you next time!"\n$/);
    }
  });

  test('stops when its parent is gone, if asked to', async () => {
    const { child, wrote, ended } = start('--process.exit-with-parent');
    await wrote('Started');
    child.stdin?.end();
    expect(await ended).toMatchObject({ code: 0, text: expect.stringContaining('reason="parent is gone"') });
  });

  test('may ask for its own end', async () => {
    expect((await start('--behaviour=leave').ended).code).toBe(0);
  });

  test('exits with 1 when it cannot start, and stops what has started', async () => {
    const { code, text } = await start('--behaviour=throw').ended;
    expect([code, text]).toEqual([1, expect.stringContaining('msg="Failed to start" err="no disk: ENOSPC"')]);
    expect(text).toContain('First part stopped');
  });

  test('exits with 1 on an error that nobody handles', async () => {
    expect(await start('--behaviour=crash').ended).toMatchObject({
      code: 1,
      text: expect.stringContaining('Unhandled error'),
    });
    expect(await start('--behaviour=reject').ended).toMatchObject({
      code: 1,
      text: expect.stringContaining('err=forgotten'),
    });
  });

  test('exits with 1 when a part does not stop well, after stopping the others', async () => {
    for (const [behaviour, want] of [
      ['bad-hook', 'part=bad err="cannot stop"'],
      ['late-hook', 'part=late err="not stopped in 20 ms"'],
    ] as const) {
      const { child, wrote, ended } = start(`--behaviour=${behaviour}`);
      await wrote('Started');
      child.kill('SIGTERM');
      const { code, text } = await ended;
      expect([code, text]).toEqual([1, expect.stringContaining(want)]);
      expect(text).toContain('First part stopped');
    }
  });

  test('exits at once on a second signal', async () => {
    const { child, wrote, ended } = start('--behaviour=endless-hook');
    await wrote('Started');
    child.kill('SIGTERM');
    await wrote('Shutting down');
    child.kill('SIGTERM');
    expect((await ended).code).toBe(1);
  });

  test('prints help, and complains about bad flags, without a stack', async () => {
    expect(await start('--help').ended).toMatchObject({
      code: 0,
      text: expect.stringMatching(/^usage: demo \[flags\]/),
    });
    expect(await start('--log.level=loud').ended).toEqual({
      code: 2,
      text: 'demo: flag --log.level: got "loud", want one of debug, info, warn, error\nusage: demo [flags]; see --help\n',
    });
    expect((await start('--web.listen-address=nonsense').ended).text).toContain('want host:port');
  });
});
