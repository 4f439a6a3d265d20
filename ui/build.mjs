// Builds the web page: one script and one style sheet with hashed names, and index.html that names them.
import { build } from 'esbuild';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';

const folder = import.meta.dirname;
const web = join(folder, 'dist', 'page');
rmSync(web, { recursive: true, force: true });
mkdirSync(join(web, 'assets'), { recursive: true });
const { metafile } = await build({
  absWorkingDir: folder,
  entryPoints: ['src/web/main.tsx', 'src/web/style.css'],
  outdir: join(web, 'assets'),
  entryNames: '[name]-[hash]',
  bundle: true,
  minify: true,
  metafile: true,
  format: 'esm',
  target: 'es2022',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  legalComments: 'none',
  logLevel: 'warning',
});
const outputs = Object.keys(metafile.outputs).map((path) => join(folder, path));
const find = (pattern) => `/assets/${basename(outputs.find((path) => pattern.test(path)))}`;
const html = readFileSync(join(folder, 'src/web/index.html'), 'utf8');
writeFileSync(
  join(web, 'index.html'),
  html.replace('{{script}}', find(/main-.*\.js$/)).replace('{{style}}', find(/style-.*\.css$/)),
);
const bytes = outputs.reduce((sum, path) => sum + gzipSync(readFileSync(path)).length, 0);
console.log(`ui: ${Math.round(bytes / 1024)} KB gzip`);
