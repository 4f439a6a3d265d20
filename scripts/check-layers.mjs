// The rooms of docs/architecture.md and what each may import. A room's package.json must list what its sources import,
// and may list no room that the table does not allow. npm hoists every workspace into one node_modules, so tsc cannot tell.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';

const anything = 'anything';
const mayImport = {
  kernel: [],
  model: [],
  wire: ['model'],
  chassis: ['model'],
  tsdb: ['kernel', 'model'],
  promql: ['kernel', 'model'],
  store: ['tsdb', 'promql', 'wire', 'chassis', 'model'],
  operator: ['model', 'wire', 'chassis', 'promql'],
  scraper: ['kernel', 'model', 'wire', 'chassis', 'tsdb', 'store'],
  querier: ['model', 'wire', 'chassis', 'promql', 'tsdb', 'ui'],
  ruler: ['model', 'wire', 'chassis', 'promql', 'tsdb', 'store'],
  cli: ['model', 'wire', 'chassis', 'promql', 'tsdb', 'ruler'],
  ui: [],
  e2e: anything,
  bench: anything,
};
const scope = '@flotilla/';
const specifierPattern =
  /^\s*(?:import|export)\b[^'"]*?from\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]|^\s*import\s*['"]([^'"]+)['"]/gm;
const builtins = new Set(builtinModules);
const violations = [];

const root = JSON.parse(readFileSync('package.json', 'utf8'));
for (const room of root.workspaces) {
  if (!(room in mayImport)) violations.push(`package.json: workspace ${room} is not in the table of rooms`);
  else checkRoom(room, JSON.parse(readFileSync(join(room, 'package.json'), 'utf8')));
}
for (const line of violations) console.error(line);
process.exit(violations.length === 0 ? 0 : 1);

function checkRoom(room, manifest) {
  const runtime = new Set(Object.keys(manifest.dependencies ?? {}));
  const testing = new Set([
    ...runtime,
    ...Object.keys({ ...manifest.devDependencies, ...root.devDependencies }),
  ]);
  for (const name of runtime) {
    if (name.startsWith(scope)) checkRoomImport(`${room}/package.json`, room, name.slice(scope.length));
  }
  for (const path of sources(join(room, 'src'))) {
    const isTest =
      /(\.test|\/test-[a-z-]+)\.tsx?$/.test(path) || mayImport[room] === anything || room === 'ui';
    checkFile(path, isTest ? testing : runtime, manifest.name);
  }
}

function checkRoomImport(where, room, imported) {
  const allowed = mayImport[room];
  if (allowed !== anything && !allowed.includes(imported))
    violations.push(`${where}: ${room} may not import ${imported}`);
}

function checkFile(path, allowed, manifestName) {
  for (const match of readFileSync(path, 'utf8').matchAll(specifierPattern)) {
    const specifier = match[1] ?? match[2] ?? match[3];
    if (specifier.startsWith('.') || specifier.startsWith('node:') || builtins.has(specifier)) continue;
    const depth = specifier.startsWith('@') ? 2 : 1;
    const target = specifier.split('/').slice(0, depth).join('/');
    if (!allowed.has(target))
      violations.push(`${path}: imports ${target}, which ${manifestName} does not depend on`);
  }
}

function sources(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => join(folder, name));
}
