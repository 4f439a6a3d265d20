import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { writeFileAtomic } from './atomic-file.ts';
import { FreshFiles } from './fresh-files.ts';
import { freePort, isFree } from './free-port.ts';
import { listenUrl, parseListenAddress } from './listen-address.ts';
import { folderOf } from './test-server.ts';
import { watchFile, watchFolder } from './watch-files.ts';

describe('writeFileAtomic', () => {
  test('replaces the content and leaves nothing beside it', async () => {
    const folder = folderOf({ a: 'old' });
    await writeFileAtomic(join(folder, 'a'), 'new');
    await writeFileAtomic(join(folder, 'b'), new Uint8Array([65]), { mode: 0o600 });
    expect([readFileSync(join(folder, 'a'), 'utf8'), readFileSync(join(folder, 'b'), 'utf8')]).toEqual([
      'new',
      'A',
    ]);
    expect(statSync(join(folder, 'b')).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['a', 'b']);
  });

  test('lets the last of many writers win, whole', async () => {
    const path = join(folderOf(), 'a');
    const texts = Array.from({ length: 20 }, (_, i) => String(i).repeat(10_000));
    await Promise.all(texts.map((text) => writeFileAtomic(path, text)));
    expect(texts).toContain(readFileSync(path, 'utf8'));
  });

  test('cleans up and names the file when it fails', async () => {
    const folder = folderOf();
    mkdirSync(join(folder, 'a'));
    await expect(writeFileAtomic(join(folder, 'a'), 'x')).rejects.toThrow(`write ${join(folder, 'a')}`);
    expect(readdirSync(folder)).toEqual(['a']);
  });
});

describe('watching', () => {
  const stops: (() => void)[] = [];
  afterEach(() => stops.splice(0).forEach((stop) => stop()));
  const quick = { debounceMs: 1, pollMs: 10 };

  /** Resolves at the next change after `edit`. */
  async function changed(start: (onChange: () => void) => () => void, edits: (() => void)[]): Promise<void> {
    let notify = (): void => undefined;
    stops.push(start(() => notify()));
    for (const edit of edits) {
      const next = new Promise<void>((resolve) => (notify = resolve));
      edit();
      await next;
    }
  }

  test('sees a file written, replaced, removed and created', async () => {
    const folder = folderOf({ a: '1' });
    const path = join(folder, 'a');
    await changed(
      (onChange) => watchFile(path, onChange, quick),
      [
        () => writeFileSync(path, '2'),
        () => (writeFileSync(`${path}.new`, '3'), renameSync(`${path}.new`, path)),
        () => rmSync(path),
        () => writeFileSync(path, '3'),
      ],
    );
    expect(readFileSync(path, 'utf8')).toBe('3');
  });

  test('sees anything below a folder, also one that comes later', async () => {
    const folder = join(folderOf(), 'later');
    await changed(
      (onChange) => watchFolder(folder, onChange, quick),
      [
        () => mkdirSync(folder),
        () => writeFileSync(join(folder, 'a.yaml'), '1'),
        () => mkdirSync(join(folder, 'sub')),
        () => writeFileSync(join(folder, 'sub', 'b.yaml'), '1'),
        () => writeFileSync(join(folder, 'sub', 'b.yaml'), '2'),
        () => rmSync(folder, { recursive: true }),
        () => mkdirSync(folder),
      ],
    );
    expect(readdirSync(folder)).toEqual([]);
  });

  test('sees the symlink swap of a mounted ConfigMap', async () => {
    const folder = folderOf();
    for (const [version, text] of [
      ['v1', 'one'],
      ['v2', 'two'],
    ] as const) {
      mkdirSync(join(folder, version));
      writeFileSync(join(folder, version, 'topology.json'), text);
    }
    symlinkSync('v1', join(folder, '..data'));
    symlinkSync('..data/topology.json', join(folder, 'topology.json'));
    await changed(
      (onChange) => watchFile(join(folder, 'topology.json'), onChange, quick),
      [
        () => (
          symlinkSync('v2', join(folder, 'swap')),
          renameSync(join(folder, 'swap'), join(folder, '..data'))
        ),
      ],
    );
    expect(readFileSync(join(folder, 'topology.json'), 'utf8')).toBe('two');
  });

  test('never overlaps its calls', async () => {
    const path = join(folderOf({ a: '0' }), 'a');
    let running = 0;
    let most = 0;
    let calls = 0;
    await new Promise<void>((resolve) => {
      const onChange = async (): Promise<void> => {
        most = Math.max(most, ++running);
        writeFileSync(path, String(++calls));
        await new Promise((done) => setTimeout(done, 20));
        running--;
        if (calls >= 3) resolve();
      };
      stops.push(watchFile(path, onChange, quick));
      writeFileSync(path, 'go');
    });
    expect(most).toBe(1);
  });
});

describe('FreshFiles', () => {
  test('reads again only after a change, of any file that it read', () => {
    const folder = folderOf({ index: 'a', a: '1', b: '2' });
    let reads = 0;
    const fresh = new FreshFiles((read) => {
      reads++;
      return read(join(folder, read(join(folder, 'index'))));
    });
    expect([fresh.get(), fresh.get(), reads]).toEqual(['1', '1', 1]);
    writeFileSync(join(folder, 'index'), 'b');
    expect([fresh.get(), reads]).toEqual(['2', 2]);
    writeFileSync(join(folder, 'b'), '22');
    expect([fresh.get(), fresh.get(), reads]).toEqual(['22', '22', 3]);
  });

  test('keeps the last good value, tells once, and recovers', () => {
    const path = join(folderOf({ a: '1' }), 'a');
    const errors: unknown[] = [];
    const fresh = new FreshFiles(
      (read) => read(path),
      (err) => errors.push(err),
    );
    rmSync(path);
    expect([fresh.get(), fresh.get(), errors.length]).toEqual(['1', '1', 1]);
    writeFileSync(path, '2');
    expect([fresh.get(), errors.length]).toEqual(['2', 1]);
  });
});

describe('addresses', () => {
  test('parse as Prometheus writes them', () => {
    const check = (text: string, host: string | undefined, port: number): void =>
      expect(parseListenAddress(text)).toEqual({ host, port });
    check('127.0.0.1:0', '127.0.0.1', 0);
    check(':9090', undefined, 9090);
    check('[::1]:9090', '::1', 9090);
    check('example.org:80', 'example.org', 80);
    for (const bad of ['9090', 'a:', 'a:65536', '::1:90', 'a:b', '']) {
      expect(() => parseListenAddress(bad)).toThrow(
        `flag --web.listen-address: got "${bad}", want host:port`,
      );
    }
  });

  test('become URLs that a client can use', () => {
    expect(listenUrl('http', '0.0.0.0', 1)).toBe('http://localhost:1');
    expect(listenUrl('https', '::1', 1)).toBe('https://[::1]:1');
    expect(listenUrl('http', '127.0.0.1', 1)).toBe('http://127.0.0.1:1');
  });

  test('freePort gives ports that can be listened on, each once, below those of outgoing connections', async () => {
    const ports: number[] = [];
    for (let i = 0; i < 20; i++) ports.push(await freePort());
    expect(new Set(ports).size).toBe(20);
    expect(Math.max(...ports)).toBeLessThan(32_768);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(ports[0], '127.0.0.1', resolve));
    expect(await isFree('127.0.0.1', ports[0]!)).toBe(false);
    await new Promise((resolve) => server.close(resolve));
    expect(await isFree('127.0.0.1', ports[0]!)).toBe(true);
  });

  test('freePort gives none of those that are taken', async () => {
    const all = Array.from({ length: 65_536 }, (_, port) => port);
    const free = await freePort();
    const taken = all.filter((port) => port !== free);
    await expect(freePort(taken)).rejects.toThrow(
      'no free port of 127.0.0.1 found in 10240-32767, 1000 were tried',
    );
  });
});
