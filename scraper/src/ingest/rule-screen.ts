// Hot: whether metric relabeling leaves a series as it is, once per new series.
//
// Jobs have many rules, and most series none that is for them. Where each rule looks at one label, what all rules of that label say
// to a value is remembered together: one look-up per label instead of one per rule. If no rule does anything to the labels
// as they are, then none does after another.

import type { Labels, RelabelRule } from '@flotilla/model';

const valuesMax = 4096;
const valueLengthMax = 256;

/** The rules that look at one label. */
class LabelRules {
  readonly #rules: RelabelRule[] = [];
  readonly #quiet = new Map<string, boolean>();

  add(rule: RelabelRule): void {
    this.#rules.push(rule);
  }

  /** Whether none of them does anything to a series with this value. */
  isQuiet(value: string): boolean {
    const known = this.#quiet.get(value);
    if (known !== undefined) return known;
    const isQuiet = this.#rules.every(({ action, regex }) => regex.test(value) === (action === 'keep'));
    if (this.#quiet.size >= valuesMax) this.#quiet.clear();
    if (value.length <= valueLengthMax) this.#quiet.set(value, isQuiet);
    return isQuiet;
  }
}

/** By label; undefined if there is a rule of another kind. */
type Screen = ReadonlyMap<string, LabelRules> | undefined;

const screens = new WeakMap<readonly RelabelRule[], { readonly screen: Screen }>();

/** Whether the rules neither change nor drop a series with these labels. False says nothing. */
export function isUntouched(labels: Labels, rules: readonly RelabelRule[]): boolean {
  let known = screens.get(rules);
  if (known === undefined) screens.set(rules, (known = { screen: screenOf(rules) }));
  if (known.screen === undefined) return false;
  for (const [label, ofLabel] of known.screen) if (!ofLabel.isQuiet(labels.get(label))) return false;
  return true;
}

function screenOf(rules: readonly RelabelRule[]): Screen {
  const byLabel = new Map<string, LabelRules>();
  for (const rule of rules) {
    const [label, ...others] = rule.sourceLabels;
    const isKnown = rule.action === 'replace' || rule.action === 'drop' || rule.action === 'keep';
    if (label === undefined || others.length > 0 || !isKnown) return undefined;
    let ofLabel = byLabel.get(label);
    if (ofLabel === undefined) byLabel.set(label, (ofLabel = new LabelRules()));
    ofLabel.add(rule);
  }
  return byLabel;
}
