// Relabel rules as configuration: defaults, and the checks Prometheus makes before it takes a rule, with its texts.
//
// RelabelConfig has the form of the operator's CRDs: there an empty regex, action or target label means "not given",
// while an explicit empty separator or replacement counts. A Prometheus file's `regex: ""` is `()` here.

import { goQuote } from './go-quote.ts';
import { isValidLegacyLabelName, isValidUtf8Name } from './label-name.ts';
import { AnchoredRegexp } from './regexp.ts';

const ACTIONS = [
  'replace',
  'keep',
  'drop',
  'keepequal',
  'dropequal',
  'hashmod',
  'labelmap',
  'labeldrop',
  'labelkeep',
  'lowercase',
  'uppercase',
] as const;

export type RelabelAction = (typeof ACTIONS)[number];

/** Which names labels may have: those of Prometheus 3, or of its legacy scheme. */
export type NameScheme = 'utf8' | 'legacy';

/** A rule as written; what is missing has Prometheus's default. `action` in any case. */
export interface RelabelConfig {
  readonly sourceLabels?: readonly string[];
  readonly separator?: string;
  readonly targetLabel?: string;
  readonly regex?: string;
  readonly modulus?: number;
  readonly replacement?: string;
  readonly action?: string;
}

/** A checked rule, ready to run. */
export interface RelabelRule {
  readonly sourceLabels: readonly string[];
  readonly separator: string;
  readonly targetLabel: string;
  readonly regex: AnchoredRegexp;
  readonly modulus: bigint;
  readonly replacement: string;
  readonly action: RelabelAction;
  readonly names: NameScheme;
}

const DEFAULT_SEPARATOR = ';';
const DEFAULT_REGEX = '(.*)';
const DEFAULT_REPLACEMENT = '$1';
/** A name with variables, by the legacy scheme. */
const LEGACY_TEMPLATE = /^(?:[a-zA-Z_]|\$(?:\{\w+\}|\w))(?:\w|\$(?:\{\w+\}|\w))*$/;

const TARGET_ACTIONS: ReadonlySet<RelabelAction> = new Set([
  'replace',
  'hashmod',
  'lowercase',
  'uppercase',
  'keepequal',
  'dropequal',
]);
const NO_REPLACEMENT_ACTIONS: ReadonlySet<RelabelAction> = new Set([
  'lowercase',
  'uppercase',
  'keepequal',
  'dropequal',
]);

/** Throws RangeError for a rule that Prometheus would refuse, PatternError for its regex. */
export function parseRelabelRule(config: RelabelConfig, names: NameScheme = 'utf8'): RelabelRule {
  const rule = {
    sourceLabels: config.sourceLabels ?? [],
    separator: config.separator ?? DEFAULT_SEPARATOR,
    targetLabel: config.targetLabel ?? '',
    regex: new AnchoredRegexp(config.regex || DEFAULT_REGEX),
    modulus: parseModulus(config.modulus ?? 0),
    replacement: config.replacement ?? DEFAULT_REPLACEMENT,
    action: parseAction(config.action || 'replace'),
    names,
  };
  checkNames(rule);
  checkUnusedFields(rule);
  return rule;
}

function parseModulus(modulus: number): bigint {
  if (Number.isSafeInteger(modulus) && modulus >= 0) return BigInt(modulus);
  throw new RangeError(`modulus: ${modulus}, want a whole number from 0 to ${Number.MAX_SAFE_INTEGER}`);
}

function parseAction(text: string): RelabelAction {
  const action = ACTIONS.find((known) => known === text.toLowerCase());
  if (action === undefined) throw new RangeError(`unknown relabel action ${goQuote(text)}`);
  return action;
}

/** Whether a rule may make a label of this name. */
export function isLabelNameOf(name: string, names: NameScheme): boolean {
  return names === 'legacy' ? isValidLegacyLabelName(name) : isValidUtf8Name(name);
}

/** Whether names may come of a text with variables. */
function isTemplateOf(text: string, names: NameScheme): boolean {
  return names === 'legacy' ? LEGACY_TEMPLATE.test(text) : isValidUtf8Name(text);
}

function checkNames(rule: RelabelRule): void {
  const { action, targetLabel, replacement, names } = rule;
  for (const name of rule.sourceLabels) {
    if (!isValidUtf8Name(name))
      throw new RangeError(`${goQuote(name)} is not a valid label name in 'source_labels'`);
  }
  if (action === 'hashmod' && rule.modulus === 0n) {
    throw new RangeError('relabel configuration for hashmod requires non-zero modulus');
  }
  if (TARGET_ACTIONS.has(action) && targetLabel === '') {
    throw new RangeError(`relabel configuration for ${action} action requires 'target_label' value`);
  }
  const isTemplate = action === 'replace' && targetLabel.includes('$');
  const isValid = isTemplate ? isTemplateOf : isLabelNameOf;
  if (TARGET_ACTIONS.has(action) && !isValid(targetLabel, names)) {
    throw new RangeError(`${goQuote(targetLabel)} is invalid 'target_label' for ${action} action`);
  }
  if (action === 'labelmap' && !isTemplateOf(replacement, names)) {
    throw new RangeError(`${goQuote(replacement)} is invalid 'replacement' for labelmap action`);
  }
}

function checkUnusedFields(rule: RelabelRule): void {
  const { action } = rule;
  if (NO_REPLACEMENT_ACTIONS.has(action) && rule.replacement !== DEFAULT_REPLACEMENT) {
    throw new RangeError(`'replacement' can not be set for ${action} action`);
  }
  const extra =
    rule.modulus !== 0n || rule.separator !== DEFAULT_SEPARATOR || rule.replacement !== DEFAULT_REPLACEMENT;
  if (action === 'keepequal' || action === 'dropequal') {
    if (!extra && rule.regex.pattern === DEFAULT_REGEX) return;
    throw new RangeError(
      `${action} action requires only 'source_labels' and \`target_label\`, and no other fields`,
    );
  }
  if (action === 'labeldrop' || action === 'labelkeep') {
    if (!extra && rule.sourceLabels.length === 0 && rule.targetLabel === '') return;
    throw new RangeError(`${action} action requires only 'regex', and no other fields`);
  }
}

/** The shortest configuration that parses to this rule with its names; equal rules give equal JSON. */
export function relabelRuleConfig(rule: RelabelRule): RelabelConfig {
  return {
    action: rule.action,
    ...(rule.sourceLabels.length > 0 && { sourceLabels: rule.sourceLabels }),
    ...(rule.separator !== DEFAULT_SEPARATOR && { separator: rule.separator }),
    ...(rule.targetLabel !== '' && { targetLabel: rule.targetLabel }),
    ...(rule.regex.pattern !== DEFAULT_REGEX && { regex: rule.regex.pattern }),
    ...(rule.modulus !== 0n && { modulus: Number(rule.modulus) }),
    ...(rule.replacement !== DEFAULT_REPLACEMENT && { replacement: rule.replacement }),
  };
}
