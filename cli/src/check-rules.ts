// `flotilla check rules`: rule files and PrometheusRule manifests, with promtool's output.

import { parseRuleFile } from '@flotilla/promql';
import { readFileSync } from 'node:fs';
import type { Printer } from './query.ts';
import { parseYaml } from './yaml-file.ts';
import type { YamlDocument } from './yaml-file.ts';

/** Checks each file; returns whether all are good. */
export function checkRules(files: readonly string[], printer: Printer): boolean {
  let good = true;
  for (const file of files) {
    const { rules, errors } = checkRuleText(readFileSync(file, 'utf8'));
    printer.out(`Checking ${file}`);
    if (errors.length === 0) printer.out(`  SUCCESS: ${rules} rules found\n`);
    else
      printer.err(
        `  FAILED:\n${errors.map(({ line, message }) => `${file}:${line}: ${message}`).join('\n')}\n`,
      );
    good &&= errors.length === 0;
  }
  return good;
}

interface Checked {
  readonly rules: number;
  readonly errors: readonly { readonly line: number; readonly message: string }[];
}

/** Counts the rules of all documents of a file and finds what is wrong in them. */
export function checkRuleText(text: string): Checked {
  const { documents, errors } = parseYaml(text);
  const checked = documents.map(checkDocument);
  return {
    rules: checked.reduce((sum, { rules }) => sum + rules, 0),
    errors: [...errors, ...checked.flatMap((document) => document.errors)],
  };
}

function checkDocument(document: YamlDocument): Checked {
  const { value } = document;
  const manifest = value as { kind?: unknown; spec?: unknown };
  const prefix = manifest.kind === 'PrometheusRule' ? ['spec'] : [];
  const { groups, errors } = parseRuleFile(prefix.length === 0 ? value : manifest.spec);
  return {
    rules: groups.reduce((sum, { rules }) => sum + rules.length, 0),
    errors: errors.map(({ path, message }) => ({ line: document.lineAt([...prefix, ...path]), message })),
  };
}
