// One line of text for an error: its message and those of its causes, as Go prints a wrapped error.

const causesMax = 8;

/** `write block: rename: no space left`: the message of `err`, then each cause's that it does not already contain. */
export function errorText(err: unknown): string {
  let text = messageOf(err);
  let cause = causeOf(err);
  for (let depth = 0; depth < causesMax && cause !== undefined; depth++) {
    const message = messageOf(cause);
    if (!text.includes(message)) text += `: ${message}`;
    cause = causeOf(cause);
  }
  return text.replaceAll('\n', ' ');
}

/** The `code` of a system error (`ENOENT`), or ''. Works for errors of another realm too. */
export function errorCode(err: unknown): string {
  return typeof err === 'object' && err !== null && 'code' in err ? String(err.code) : '';
}

function messageOf(err: unknown): string {
  if (typeof err !== 'object' || err === null) return String(err);
  const { message, name } = err as { message?: unknown; name?: unknown };
  if (typeof message === 'string' && message !== '') return message;
  return errorCode(err) || (typeof name === 'string' ? name : 'unknown error');
}

function causeOf(err: unknown): unknown {
  if (typeof err !== 'object' || err === null) return undefined;
  const { cause, errors } = err as { cause?: unknown; errors?: unknown };
  return cause ?? (Array.isArray(errors) ? errors[0] : undefined);
}
