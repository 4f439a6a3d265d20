// Builds everything: the WASM kernel, every TypeScript room, the web page.
import { ensureInstalled, mustRun, nodeBinary } from './setup.mjs';

export async function build() {
  ensureInstalled();
  await mustRun(nodeBinary(), ['kernel/build.mjs']);
  await mustRun('tsc', ['-b']);
  await mustRun(nodeBinary(), ['ui/build.mjs']);
}

if (process.argv[1] === import.meta.filename) await build();
