// The rule files that rulers evaluate, from the operator: GET /rules/v1, JSON, with an ETag. Format: docs/format/rules.md.

export interface RuleFile {
  /** A file name without folder, `<namespace>_<name>.yaml`. */
  readonly file: string;
  /** Prometheus's rule-file form. */
  readonly text: string;
}

export interface RulesFeed {
  readonly version: 1;
  /** Sorted by file. */
  readonly files: readonly RuleFile[];
}

export const RULES_PATH = '/rules/v1';
