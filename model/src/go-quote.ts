// Go's strconv.Quote: the quotes in every Prometheus text form (labels, matchers, error messages).

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
};

/** `s` in double quotes with Go's escapes. A lone surrogate, which Go cannot hold, becomes `\ufffd`. */
export function goQuote(s: string): string {
  if (/^[ !#-[\]-~]*$/.test(s)) return `"${s}"`;
  return `"${s.replace(/[^ !#-[\]-~]/gu, quoteRune)}"`;
}

function quoteRune(rune: string): string {
  const short = SHORT_ESCAPES[rune];
  if (short !== undefined) return short;
  if (/[\p{L}\p{M}\p{N}\p{P}\p{S}]/u.test(rune)) return rune;
  const code = rune.codePointAt(0) ?? 0;
  if (code >= 0xd800 && code <= 0xdfff) return '\\ufffd';
  if (code < 0x20 || code === 0x7f) return `\\x${hex(code, 2)}`;
  return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
}

function hex(code: number, width: number): string {
  return code.toString(16).padStart(width, '0');
}
