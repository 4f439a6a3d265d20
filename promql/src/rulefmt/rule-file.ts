// Prometheus's rule files after YAML: shapes, and the checks that Prometheus makes when it loads one.
//
// Strict: an unknown field is an error, as in Prometheus, since a misspelt `for` would silently change an alert.

import { isValidLegacyLabelName, isValidUtf8Name, parseDuration } from '@flotilla/model';
import type { ParserOptions } from '../parser/options.ts';
import { parseExpr } from '../parser/parse.ts';
import { checkTemplate } from '../templates/expand-template.ts';

export interface Rule {
  /** Exactly one of record and alert is not ''. */
  readonly record: string;
  readonly alert: string;
  readonly expr: string;
  readonly forMs: number;
  readonly keepFiringForMs: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface RuleGroup {
  readonly name: string;
  /** 0: the default evaluation interval. */
  readonly intervalMs: number;
  readonly queryOffsetMs: number;
  /** 0: no limit. */
  readonly limit: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly rules: readonly Rule[];
}

/** `path` leads to the culprit in the document, for its line: ['groups', 0, 'rules', 2, 'expr']. */
export interface RuleFileError {
  readonly path: readonly (string | number)[];
  readonly message: string;
  /** The rule that it is in, counted from 1 in its group; absent outside of rules. */
  readonly rule?: { readonly group: string; readonly number: number; readonly name: string };
}

export interface RuleFile {
  readonly groups: readonly RuleGroup[];
  /** Not empty: the file must be refused as a whole. */
  readonly errors: readonly RuleFileError[];
}

export interface RuleFileOptions {
  /** For the expressions of rules. */
  readonly parser?: ParserOptions;
  /** Lets fields pass that Prometheus does not know. */
  readonly ignoreUnknownFields?: boolean;
}

type Path = readonly (string | number)[];

const groupFields = [
  'name',
  'interval',
  'query_offset',
  'limit',
  'labels',
  'rules',
  'partial_response_strategy',
];
const ruleFields = ['record', 'alert', 'expr', 'for', 'keep_firing_for', 'labels', 'annotations'];

/** Checks the parsed YAML of a rule file, or the `spec` of a PrometheusRule, which has the same shape. */
export function parseRuleFile(document: unknown, options: RuleFileOptions = {}): RuleFile {
  const reader = new Reader(options);
  const root = reader.object(document ?? {}, [], ['groups']);
  const groups = reader
    .array(root['groups'], ['groups'])
    .map((group, index) => reader.group(group, ['groups', index]));
  const seen = new Set<string>();
  groups.forEach(({ name }, index) => {
    if (seen.has(name))
      reader.fail(['groups', index, 'name'], `groupname: "${name}" is repeated in the same file`);
    seen.add(name);
  });
  return { groups, errors: reader.errors };
}

/** Reads fields of unknown values and collects what is wrong with them. */
class Reader {
  readonly errors: RuleFileError[] = [];
  readonly #options: RuleFileOptions;
  #rule: RuleFileError['rule'];

  constructor(options: RuleFileOptions) {
    this.#options = options;
  }

  fail(path: Path, message: string): void {
    this.errors.push({ path, message, ...(this.#rule !== undefined && { rule: this.#rule }) });
  }

  object(value: unknown, path: Path, fields?: readonly string[]): Readonly<Record<string, unknown>> {
    if (value === undefined || value === null) return {};
    if (typeof value !== 'object' || Array.isArray(value)) {
      this.fail(path, `${describe(path)}: got ${typeof value}, want a mapping`);
      return {};
    }
    const known = new Set(this.#options.ignoreUnknownFields === true ? undefined : fields);
    for (const name of Object.keys(value)) {
      if (known.size > 0 && !known.has(name))
        this.fail([...path, name], `field ${name} not found in ${describe(path)}`);
    }
    return value as Readonly<Record<string, unknown>>;
  }

  array(value: unknown, path: Path): readonly unknown[] {
    if (value === undefined || value === null) return [];
    if (Array.isArray(value)) return value as readonly unknown[];
    this.fail(path, `${describe(path)}: got ${typeof value}, want a list`);
    return [];
  }

  /** Scalars are text, as Go's YAML reads them into strings. */
  string(value: unknown, path: Path): string {
    if (value === undefined || value === null) return '';
    if (typeof value === 'string') return value;
    if (typeof value === 'number' || typeof value === 'boolean') return String(value);
    this.fail(path, `${describe(path)}: got ${typeof value}, want a string`);
    return '';
  }

  duration(value: unknown, path: Path): number {
    const text = this.string(value, path);
    if (text === '') return 0;
    try {
      return parseDuration(text);
    } catch (error) {
      this.fail(path, `${describe(path)}: ${(error as Error).message}`);
      return 0;
    }
  }

  stringMap(value: unknown, path: Path): Record<string, string> {
    const entries = Object.entries(this.object(value, path));
    return Object.fromEntries(entries.map(([name, text]) => [name, this.string(text, [...path, name])]));
  }

  labels(value: unknown, path: Path): Record<string, string> {
    const labels = this.stringMap(value, path);
    for (const name of Object.keys(labels)) {
      if (!isValidUtf8Name(name) || name === '__name__')
        this.fail([...path, name], `invalid label name: ${name}`);
    }
    return labels;
  }

  group(value: unknown, path: Path): RuleGroup {
    const fields = this.object(value, path, groupFields);
    const name = this.string(fields['name'], [...path, 'name']);
    if (name === '') this.fail([...path, 'name'], 'Groupname must not be empty');
    const labels = this.labels(fields['labels'], [...path, 'labels']);
    const rules = this.array(fields['rules'], [...path, 'rules']);
    return {
      name,
      labels,
      intervalMs: this.duration(fields['interval'], [...path, 'interval']),
      queryOffsetMs: this.duration(fields['query_offset'], [...path, 'query_offset']),
      limit: this.count(fields['limit'], [...path, 'limit']),
      rules: rules.map((rule, index) => this.rule(rule, [...path, 'rules', index], name)),
    };
  }

  count(value: unknown, path: Path): number {
    if (value === undefined || value === null) return 0;
    const count = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
    if (typeof count === 'number' && Number.isInteger(count) && count >= 0) return count;
    this.fail(path, `${describe(path)}: got ${JSON.stringify(value)}, want a whole number of 0 or more`);
    return 0;
  }

  rule(value: unknown, path: Path, group: string): Rule {
    const fields = this.object(value, path, ruleFields);
    const text = (name: string): string => this.string(fields[name], [...path, name]);
    const [record, alert] = [text('record'), text('alert')];
    this.#rule = { group, number: Number(path.at(-1)) + 1, name: alert || record };
    const rule: Rule = {
      record,
      alert,
      expr: text('expr'),
      forMs: this.duration(fields['for'], [...path, 'for']),
      keepFiringForMs: this.duration(fields['keep_firing_for'], [...path, 'keep_firing_for']),
      labels: this.labels(fields['labels'], [...path, 'labels']),
      annotations: this.stringMap(fields['annotations'], [...path, 'annotations']),
    };
    this.#checkKind(rule, path);
    this.#checkExpr(rule, path);
    this.#checkTemplates(rule, path);
    this.#rule = undefined;
    return rule;
  }

  #checkKind(rule: Rule, path: Path): void {
    if (rule.record !== '' && rule.alert !== '')
      this.fail(path, "only one of 'record' and 'alert' must be set");
    if (rule.record === '' && rule.alert === '') this.fail(path, "one of 'record' or 'alert' must be set");
    if (rule.record === '') return;
    if (Object.keys(rule.annotations).length > 0)
      this.fail([...path, 'annotations'], "invalid field 'annotations' in recording rule");
    if (rule.forMs !== 0) this.fail([...path, 'for'], "invalid field 'for' in recording rule");
    if (rule.keepFiringForMs !== 0)
      this.fail([...path, 'keep_firing_for'], "invalid field 'keep_firing_for' in recording rule");
    if (!isValidUtf8Name(rule.record))
      this.fail([...path, 'record'], `invalid recording rule name: ${rule.record}`);
    if (/[{}]/.test(rule.record))
      this.fail(
        [...path, 'record'],
        `braces present in the recording rule name; should it be in expr?: ${rule.record}`,
      );
  }

  /** Of alerts only: the labels of a recording rule are no templates. */
  #checkTemplates({ alert, labels, annotations }: Rule, path: Path): void {
    if (alert === '') return;
    for (const [field, texts] of Object.entries({ labels, annotations })) {
      for (const [name, text] of Object.entries(texts)) {
        try {
          checkTemplate(text);
        } catch (error) {
          this.fail([...path, field, name], `${field.slice(0, -1)} "${name}": ${(error as Error).message}`);
        }
      }
    }
  }

  #checkExpr({ expr }: Rule, path: Path): void {
    if (expr === '') {
      this.fail([...path, 'expr'], "field 'expr' must be set in rule");
      return;
    }
    try {
      parseExpr(expr, this.#options.parser);
    } catch (error) {
      this.fail([...path, 'expr'], `could not parse expression: ${(error as Error).message}`);
    }
  }
}

function describe(path: Path): string {
  if (path.length === 0) return 'the rule file';
  return path
    .map((step) =>
      typeof step === 'number' ? `[${step}]` : isValidLegacyLabelName(step) ? `.${step}` : `."${step}"`,
    )
    .join('')
    .slice(1);
}
