// The rule files of a folder, watched, and a loop for each of their groups. A bad file is refused as a whole, with the reason,
// and keeps its last good version; an unchanged group is not touched by changes around it.

import { errorText, watchFolder } from '@flotilla/chassis';
import type { Logger } from '@flotilla/chassis';
import { parseRuleFile } from '@flotilla/promql';
import type { RuleGroup } from '@flotilla/promql';
import { load } from 'js-yaml';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { GroupEvaluator } from './group-evaluator.ts';
import type { EvaluatorOptions } from './group-evaluator.ts';
import { GroupLoop } from './group-loop.ts';

const fileBytesMax = 4 << 20;

interface LoadedFile {
  readonly text: string;
  readonly groups: readonly RuleGroup[];
}

export class RuleFolder {
  readonly refused = new Map<string, string>();
  readonly #folder: string;
  readonly #log: Logger;
  readonly #options: EvaluatorOptions;
  readonly #files = new Map<string, LoadedFile>();
  readonly #loops = new Map<string, GroupLoop>();
  #stopWatching: (() => void) | undefined;
  #reloading: Promise<void> = Promise.resolve();

  constructor(folder: string, options: EvaluatorOptions) {
    this.#folder = folder;
    this.#log = options.log;
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#stopWatching = watchFolder(this.#folder, () => this.#reload(), { pollMs: 2000 });
    await this.#reload();
  }

  async stop(): Promise<void> {
    this.#stopWatching?.();
    await this.#reloading;
    await Promise.all([...this.#loops.values()].map((loop) => loop.stop()));
  }

  evaluators(): GroupEvaluator[] {
    return [...this.#loops.values()].map(({ evaluator }) => evaluator);
  }

  #reload(): Promise<void> {
    this.#reloading = this.#reloading.then(() => {
      this.#readFiles();
      return this.#applyGroups();
    });
    return this.#reloading;
  }

  #readFiles(): void {
    const names = new Set(listYaml(this.#folder));
    for (const name of this.#files.keys()) if (!names.has(name)) this.#files.delete(name);
    for (const name of this.refused.keys()) if (!names.has(name)) this.refused.delete(name);
    for (const name of names) this.#readFile(name);
  }

  #readFile(name: string): void {
    try {
      const path = join(this.#folder, name);
      if (statSync(path).size > fileBytesMax) throw new Error(`larger than ${fileBytesMax} bytes`);
      const text = readFileSync(path, 'utf8');
      if (this.#files.get(name)?.text !== text) this.#files.set(name, { text, groups: parseGroups(text) });
      this.refused.delete(name);
    } catch (error) {
      const reason = errorText(error);
      if (this.refused.get(name) !== reason)
        this.#log.error('rule file refused, keeping its last good version', { file: name, err: reason });
      this.refused.set(name, reason);
    }
  }

  async #applyGroups(): Promise<void> {
    const wanted = new Map<string, { file: string; group: RuleGroup }>();
    for (const [file, { groups }] of this.#files)
      for (const group of groups) wanted.set(`${file};${group.name}`, { file, group });
    for (const [key, loop] of this.#loops) {
      if (wanted.has(key)) continue;
      this.#loops.delete(key);
      await loop.stop();
      loop.evaluator.end(Date.now());
    }
    for (const [key, { file, group }] of wanted) await this.#applyGroup(key, file, group);
  }

  async #applyGroup(key: string, file: string, group: RuleGroup): Promise<void> {
    const before = this.#loops.get(key);
    if (before !== undefined && JSON.stringify(before.evaluator.group) === JSON.stringify(group)) return;
    await before?.stop();
    const evaluator = new GroupEvaluator(file, group, this.#options, before?.evaluator);
    this.#loops.set(key, new GroupLoop(evaluator, this.#options.counters));
  }
}

function listYaml(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => /\.ya?ml$/.test(name))
      .toSorted();
  } catch {
    return [];
  }
}

/** Throws with all that is wrong. */
function parseGroups(text: string): readonly RuleGroup[] {
  const { groups, errors } = parseRuleFile(load(text));
  const problems = errors.map(({ path, message }) => `${path.join('.')}: ${message}`);
  if (problems.length > 0) throw new Error(problems.join('; '));
  return groups;
}
