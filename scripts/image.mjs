// node scripts/image.mjs OUT_DIR [SCRIPT]: everything that the image holds besides Node, as the tree OUT_DIR/app; with SCRIPT, a
// path in the repository, that in place of the binaries, for benches of what they are made of.
//
// Each binary becomes one file, /app/<binary>.mjs, bundled from the sources. What a room reads by its own path (the
// kernel, .proto files, the page, package.json) lies below /app as it lies in the repository: a bundled module is told
// the path that it has there. The Containerfile runs it; it needs no other build step before it.
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { ensureInstalled, mustRun, nodeBinary, root } from './setup.mjs';

const binaries = ['operator', 'scraper', 'querier', 'ruler', 'cli'];
/** Scripts of threads, by the name of their bundle. */
const threads = {
  'querier-worker': 'querier/src/workers/query-worker.ts',
  'compaction-worker': 'tsdb/src/block/compaction-worker.ts',
};
const assets = ['kernel/dist/kernel.wasm', 'wire/proto', 'chassis/package.json', 'ui/dist/page'];
/** Only the operator talks to the API server. */
const operatorOnly = '@kubernetes/client-node';

/** `import.meta.url` of a room's module stays that module's, below the bundle's folder. */
const keepModulePaths = {
  name: 'keep-module-paths',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8');
      if (path.includes('node_modules') || !text.includes('import.meta.url')) return undefined;
      const url = `new URL(${JSON.stringify(relative(root, path))}, import.meta.url).href`;
      return { contents: text.replaceAll('import.meta.url', url), loader: 'ts' };
    });
  },
};

/**
 * Of the Kubernetes client only what finds credentials. Its generated models would be two thirds of the bundle: it does not say
 * that they may be left out, so it is said here.
 */
const onlyKubeConfig = {
  name: 'only-kube-config',
  setup({ onResolve, resolve: resolveModule }) {
    const folder = join(root, 'node_modules', operatorOnly);
    onResolve({ filter: /^@kubernetes\/client-node$/ }, () => ({ path: join(folder, 'dist/config.js') }));
    onResolve({ filter: /^\./ }, async ({ path, importer, resolveDir, kind, pluginData }) => {
      if (pluginData === 'resolving' || !importer.startsWith(folder)) return undefined;
      const resolved = await resolveModule(path, { importer, resolveDir, kind, pluginData: 'resolving' });
      return { ...resolved, sideEffects: false };
    });
  },
};

const [out, script] = process.argv.slice(2);
if (out === undefined || process.argv.length > 4) {
  console.error('usage: node scripts/image.mjs OUT_DIR [SCRIPT]');
  process.exit(2);
}
const app = join(resolve(out), 'app');
rmSync(app, { recursive: true, force: true });
mkdirSync(app, { recursive: true });
ensureInstalled();
const { build } = await import('esbuild');
await mustRun(nodeBinary(), ['kernel/build.mjs']);
await mustRun(nodeBinary(), ['ui/build.mjs']);
// `flotilla up` starts binaries, and binaries start threads, by the path that a script has in the repository.
const scripts =
  script === undefined
    ? binaries.map((name) => [name, `${name}/src/main.ts`])
    : [[basename(script, '.ts'), script]];
for (const [name, source] of [...scripts, ...Object.entries(threads)]) await bundle(name, source);
for (const asset of assets) cpSync(join(root, asset), join(app, asset), { recursive: true });
copyCrds();
cpSync(join(root, 'LICENSE'), join(app, 'LICENSE'));
writeFileSync(
  join(app, 'package.json'),
  `${JSON.stringify({ name: 'flotilla', private: true, type: 'module' })}\n`,
);

async function bundle(name, source) {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: { [name]: source },
    outdir: app,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    conditions: ['@flotilla/source'],
    mainFields: ['module', 'main'],
    // CommonJS packages require Node's own modules.
    banner: {
      js: "import { createRequire as createRequireOfBundle } from 'node:module'; const require = createRequireOfBundle(import.meta.url);",
    },
    legalComments: 'linked',
    // Without comments: one sign that is not ASCII has V8 hold a source, whole, with two bytes a sign.
    minifyWhitespace: true,
    lineLimit: 160,
    metafile: true,
    logLevel: 'warning',
    plugins: [keepModulePaths, onlyKubeConfig],
  });
  const inputs = Object.keys(metafile.inputs);
  const foreign = inputs.find((path) => path.includes(`node_modules/${operatorOnly}/`));
  if (name !== 'operator' && foreign !== undefined)
    throw new Error(`${name}: bundles ${foreign}, want it in the operator only`);
  const entry = join(app, source.replace('/src/', '/dist/').replace('.ts', '.js'));
  mkdirSync(dirname(entry), { recursive: true });
  writeFileSync(entry, `import '${relative(dirname(entry), join(app, `${name}.mjs`))}';\n`);
  const bytes = Object.values(metafile.outputs).reduce((sum, output) => sum + output.bytes, 0);
  console.log(`${name}.mjs: ${inputs.length} modules, ${(bytes / 1024).toFixed(0)} KB`);
}

function copyCrds() {
  mkdirSync(join(app, 'crds'));
  const folder = join(root, 'crds');
  for (const name of existsSync(folder) ? readdirSync(folder) : [])
    if (name.endsWith('.yaml')) cpSync(join(folder, name), join(app, 'crds', basename(name)));
}
