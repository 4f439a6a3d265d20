// `flotilla check rules`: rule files and PrometheusRule manifests, with promtool's output and exit codes.

import { compareLabels, goQuote, Labels } from '@flotilla/model';
import { parseRuleFile } from '@flotilla/promql';
import type { RuleFileError, RuleFileOptions, RuleGroup } from '@flotilla/promql';
import { readFileSync } from 'node:fs';
import { promqlFeatures } from './promql-features.ts';
import type { Printer } from './query.ts';
import { parseYaml } from './yaml-file.ts';
import type { YamlDocument } from './yaml-file.ts';

export interface CheckRulesOptions {
  /** `all`, `duplicate-rules` or `none`, or a list of them with commas. */
  readonly lint?: string;
  readonly lintFatal?: boolean;
  readonly ignoreUnknownFields?: boolean;
  /** Names with commas between them, as Prometheus's flag has them. */
  readonly enableFeature?: readonly string[];
}

/** 1: a file is wrong. 3: a lint found something, and was to be fatal. */
export type CheckExitCode = 0 | 1 | 3;

const lints = ['all', 'duplicate-rules', 'none'];

/** Checks each file, or standard input if there is none. Throws RangeError for a lint that is not known. */
export function checkRules(
  files: readonly string[],
  printer: Printer,
  options: CheckRulesOptions = {},
): CheckExitCode {
  const wanted = (options.lint ?? 'duplicate-rules').split(',');
  const unknown = wanted.find((lint) => !lints.includes(lint));
  if (unknown !== undefined) throw new RangeError(`lint: "${unknown}", want one of ${lints.join(', ')}`);
  const findsDuplicates = !wanted.includes('none');
  let code: CheckExitCode = 0;
  for (const file of files.length > 0 ? files : [undefined]) {
    const found = checkFile(file, options, findsDuplicates, printer);
    if (found === 'wrong') code = 1;
    else if (found === 'lint' && options.lintFatal === true && code === 0) code = 3;
  }
  return code;
}

function checkFile(
  file: string | undefined,
  options: CheckRulesOptions,
  findsDuplicates: boolean,
  printer: Printer,
): 'good' | 'wrong' | 'lint' {
  printer.out(`Checking ${file ?? 'standard input'}`);
  const { parser } = promqlFeatures(options.enableFeature);
  const ignoreUnknownFields = options.ignoreUnknownFields === true;
  const { groups, errors } = checkRuleText(readFileSync(file ?? 0, 'utf8'), { parser, ignoreUnknownFields });
  if (errors.length > 0) {
    const lines = errors.map(({ text }) => (file === undefined ? text : `${file}: ${text}`));
    printer.err(`  FAILED:\n${lines.join('\n')}`);
    return 'wrong';
  }
  const duplicates = findsDuplicates ? duplicateRules(groups) : '';
  if (duplicates !== '') printer.err(`  FAILED:\nlint error ${duplicates}`);
  else printer.out(`  SUCCESS: ${countRules(groups)} rules found`);
  printer.out('');
  return duplicates === '' ? 'good' : 'lint';
}

export function countRules(groups: readonly RuleGroup[]): number {
  return groups.reduce((sum, { rules }) => sum + rules.length, 0);
}

export interface CheckedRules {
  readonly groups: readonly RuleGroup[];
  readonly errors: readonly RuleTextError[];
}

export interface RuleTextError {
  readonly line: number;
  readonly message: string;
  /** Both, as promtool prints them: the name of the file is to come before. */
  readonly text: string;
}

/** Reads the groups of all documents of a text, and finds what is wrong in them. */
export function checkRuleText(text: string, options: RuleFileOptions = {}): CheckedRules {
  const { documents, errors } = parseYaml(text, 'text');
  const checked = documents.map((document) => checkDocument(document, options));
  return {
    groups: checked.flatMap(({ groups }) => groups),
    errors: [
      ...errors.map(({ line, message }) => ({ line, message, text: `yaml: line ${line}: ${message}` })),
      ...checked.flatMap((one) => one.errors),
    ],
  };
}

function checkDocument(document: YamlDocument, options: RuleFileOptions): CheckedRules {
  const { value } = document;
  const manifest = value as { kind?: unknown; spec?: unknown };
  const isManifest = manifest.kind === 'PrometheusRule';
  const { groups, errors } = parseRuleFile(isManifest ? manifest.spec : value, options);
  return { groups, errors: errors.map((error) => describe(error, document, isManifest ? ['spec'] : [])) };
}

function describe(
  { path, message, rule }: RuleFileError,
  document: YamlDocument,
  prefix: string[],
): RuleTextError {
  const { line, column } = document.positionOf([...prefix, ...path]);
  const where =
    rule === undefined ? '' : `group ${goQuote(rule.group)}, rule ${rule.number}, ${goQuote(rule.name)}: `;
  return { line, message: where + message, text: `${line}:${column}: ${where}${message}` };
}

/** '' if no two rules write the same series or alert. */
function duplicateRules(groups: readonly RuleGroup[]): string {
  const seen = new Map<string, { metric: string; labels: Labels; count: number }>();
  for (const group of groups) {
    for (const rule of group.rules) {
      const metric = rule.alert || rule.record;
      const labels = Labels.fromRecord({ ...group.labels, ...rule.labels });
      const key = JSON.stringify([metric, labels.key]);
      seen.set(key, { metric, labels, count: (seen.get(key)?.count ?? 0) + 1 });
    }
  }
  const twice = [...seen.values()].filter(({ count }) => count > 1);
  if (twice.length === 0) return '';
  const texts = twice
    .toSorted((a, b) =>
      a.metric === b.metric ? compareLabels(a.labels, b.labels) : a.metric < b.metric ? -1 : 1,
    )
    .map(({ metric, labels }) => {
      const lines = Array.from(labels, ([name, value]) => `\t${name}: ${value}\n`);
      return `Metric: ${metric}\nLabel(s):\n${lines.join('')}`;
    });
  return `${twice.length} duplicate rule(s) found.\n${texts.join('')}Might cause inconsistency while recording expressions`;
}
