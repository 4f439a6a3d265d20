// --config.file: the flags of a binary as YAML, `web: {listen-address: ...}` or `web.listen-address: ...`.

import { readFileSync } from 'node:fs';
import { loadYaml } from './load-yaml.ts';
import { nearest } from './nearest.ts';

const depthMax = 8;

/** Flag name → its texts, as they would stand on the command line. Throws on unknown keys and on values that are no flag values. */
export function readConfigFile(path: string, known: readonly string[]): Map<string, string[]> {
  const source = readFileSync(path, 'utf8');
  const texts = new Map<string, string[]>();
  const names = new Set(known);
  try {
    flatten(loadYaml(source), '', names, texts, 0);
  } catch (err) {
    throw new Error(`config file ${path}`, { cause: err });
  }
  return texts;
}

function flatten(
  node: unknown,
  name: string,
  known: ReadonlySet<string>,
  out: Map<string, string[]>,
  depth: number,
): void {
  if (name !== '' && known.has(name)) {
    if (out.has(name)) throw new Error(`key "${name}": given twice, want it once`);
    out.set(name, textsOf(name, node));
    return;
  }
  if (typeof node !== 'object' || node === null || Array.isArray(node) || depth > depthMax) {
    throw new Error(
      name === ''
        ? 'got no mapping, want flag names as keys'
        : `key "${name}": unknown${nearest(name, [...known])}`,
    );
  }
  for (const [key, child] of Object.entries(node)) {
    flatten(child, name === '' ? key : `${name}.${key}`, known, out, depth + 1);
  }
}

function textsOf(name: string, node: unknown): string[] {
  return (Array.isArray(node) ? node : [node]).map((item: unknown) => {
    if (typeof item === 'string' || typeof item === 'number' || typeof item === 'boolean')
      return String(item);
    throw new Error(`key "${name}": got ${JSON.stringify(item)}, want a text, a number or true/false`);
  });
}
