// A label matcher: what a selector asks of one label. An absent label has the value ''.

import { goQuote } from './go-quote.ts';
import { isValidLegacyLabelName } from './label-name.ts';
import { AnchoredRegexp } from './regexp.ts';

export type MatchType = '=' | '!=' | '=~' | '!~';

export class Matcher {
  readonly type: MatchType;
  readonly name: string;
  readonly value: string;
  /** Whether an absent label satisfies it. */
  readonly matchesEmpty: boolean;
  private readonly regexp: AnchoredRegexp | undefined;

  /** Throws PatternError for a regexp that RE2 refuses. */
  constructor(type: MatchType, name: string, value: string) {
    this.type = type;
    this.name = name;
    this.value = value;
    this.regexp = type === '=~' || type === '!~' ? new AnchoredRegexp(value) : undefined;
    this.matchesEmpty = this.matches('');
  }

  matches(labelValue: string): boolean {
    const found = this.regexp === undefined ? labelValue === this.value : this.regexp.test(labelValue);
    return found === (this.type === '=' || this.type === '=~');
  }

  /** The literals of a regexp that is nothing else, such as `a|b`; else empty. For `!~` they are what it excludes. */
  get setMatches(): readonly string[] {
    return this.regexp?.setMatches ?? [];
  }

  /** What every value begins with that the regexp matches (for `!~`: excludes); '' if nothing is known or no regexp. */
  get prefix(): string {
    return this.regexp?.prefix ?? '';
  }

  /** `name=~"value"`, as PromQL has it. */
  toString(): string {
    const name = isValidLegacyLabelName(this.name) ? this.name : goQuote(this.name);
    return `${name}${this.type}${goQuote(this.value)}`;
  }
}
