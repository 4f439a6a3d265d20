#!/usr/bin/env node
// The command `flotilla`: runs dist/main.js on Node 24 or newer, the pinned one when the caller's is older.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const pinnedPath = `../../node_modules/node-${process.platform}-${process.arch}/bin/node`;
const pinned = fileURLToPath(new URL(pinnedPath, import.meta.url));

if (!existsSync(main)) {
  console.error('flotilla: it is not built, run `npm run build` first');
  process.exit(1);
}
if (Number(process.versions.node.split('.')[0]) >= 24) {
  await import(main);
} else if (existsSync(pinned)) {
  process.exit(spawnSync(pinned, [main, ...process.argv.slice(2)], { stdio: 'inherit' }).status ?? 1);
} else {
  console.error(`flotilla: node ${process.versions.node}, want 24 or newer`);
  process.exit(1);
}
