import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { freePort } from '@flotilla/chassis';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { repository } from './helm.ts';

const binaries = ['operator', 'scraper', 'querier', 'ruler', 'cli'];

describe('the tree of the image', () => {
  let folder = '';
  let app = '';

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'flotilla-image-'));
    const { status, stderr } = node(join(repository, 'scripts/image.mjs'), join(folder, 'tree'));
    if (status !== 0) throw new Error(`scripts/image.mjs: exit ${status}: ${stderr}`);
    app = join(folder, 'tree/app');
  }, 60_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function node(...args: readonly string[]) {
    return spawnSync(process.execPath, args, { encoding: 'utf8' });
  }

  test('has every binary in one file', () => {
    for (const binary of binaries) {
      const { status, stdout, stderr } = node(join(app, `${binary}.mjs`), '--help');
      expect([binary, status, stderr]).toEqual([binary, 0, '']);
      expect(stdout.toLowerCase()).toContain('usage: ');
    }
    const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as {
      version: string;
    };
    expect(node(join(app, 'cli.mjs'), '--version').stdout).toBe(`${version}\n`);
  });

  test('has the Kubernetes client in the operator only', () => {
    const has = binaries.filter((binary) =>
      readFileSync(join(app, `${binary}.mjs`), 'utf8').includes('loadFromCluster'),
    );
    expect(has).toEqual(['operator']);
  });

  test('has the CustomResourceDefinitions that the operator keeps up to date', () => {
    const wanted = readdirSync(join(repository, 'crds')).filter((name) => name.endsWith('.yaml'));
    expect(readdirSync(join(app, 'crds'))).toEqual(wanted);
    expect(wanted).toHaveLength(6);
  });

  test('runs a whole fleet', async () => {
    const port = await freePort();
    const page = `http://127.0.0.1:${port}`;
    const args = [
      'up',
      join(repository, 'examples/local'),
      '--data',
      join(folder, 'data'),
      '--listen',
      `127.0.0.1:${port}`,
    ];
    const fleet = spawn(process.execPath, [join(app, 'cli.mjs'), ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(fleet, 'exit');
    try {
      for await (const line of createInterface(fleet.stdout)) if (line.startsWith('page ')) break;
      expect(fleet.exitCode).toBeNull();
      fleet.stdout.resume();
      const html = await (await fetch(`${page}/`)).text();
      const [, script] = /src="(\/assets\/main-[^"]+\.js)"/.exec(html)!;
      expect((await fetch(`${page}${script}`)).status).toBe(200);
      // Answers need the kernel, the .proto files and all shards.
      const answer = await fetch(
        `${page}/api/v1/query?partial_response=false&query=vector(1)%2Bcount(up)or%20vector(1)`,
      );
      expect(await answer.json()).toMatchObject({ status: 'success' });
    } finally {
      fleet.kill('SIGINT');
      await ended;
    }
    expect(existsSync(join(folder, 'data'))).toBe(true);
  }, 60_000);
});
