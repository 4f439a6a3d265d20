// logfmt as Prometheus writes it: time=… level=INFO component=querier msg="Listening" url=http://…

const plainValue = /^[^\s"=\\\p{Cc}]+$/u;

/** One line, with its line feed. `time`, `level`, `component` and `msg` come first, the rest in order. */
export function logfmtLine(fields: Readonly<Record<string, unknown>>): string {
  const { time, level, component, msg, ...rest } = fields;
  const pairs = Object.entries({ time, level, component, msg: quoted(msg), ...rest });
  return `${pairs.map(([key, value]) => `${keyText(key)}=${key === 'msg' ? String(value) : valueText(value)}`).join(' ')}\n`;
}

function keyText(key: string): string {
  return key.replaceAll(/[\s"=\p{Cc}]/gu, '_') || '_';
}

function valueText(value: unknown): string {
  const text = textOf(value);
  return plainValue.test(text) ? text : quoted(text);
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'string') return value;
  return JSON.stringify(value);
}

function quoted(value: unknown): string {
  return JSON.stringify(textOf(value));
}
