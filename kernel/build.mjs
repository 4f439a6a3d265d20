// Compiles assembly/ to dist/kernel.wasm, unless that is newer than every source.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const room = import.meta.dirname;
const source = join(room, 'assembly');
const target = join(room, 'dist', 'kernel.wasm');

function isFresh() {
  if (!existsSync(target)) return false;
  const built = statSync(target).mtimeMs;
  const inputs = [import.meta.filename, ...readdirSync(source).map((name) => join(source, name))];
  return inputs.every((path) => statSync(path).mtimeMs < built);
}

if (!isFresh()) {
  mkdirSync(dirname(target), { recursive: true });
  const packagePath = createRequire(import.meta.url).resolve('assemblyscript/package.json');
  const options = '-O3 --runtime stub --enable simd --enable bulk-memory --noAssert --initialMemory 16'.split(
    ' ',
  );
  const compiler = join(dirname(packagePath), 'bin', 'asc.js');
  const { status } = spawnSync(
    process.execPath,
    [compiler, join(source, 'index.ts'), '-o', target, ...options],
    { stdio: 'inherit' },
  );
  if (status !== 0) process.exit(status ?? 1);
}
