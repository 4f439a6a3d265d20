// Answers of two servers to one request, made comparable: without times of evaluation, without orders that mean nothing.

export interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly body: unknown;
}

export type Parameters = readonly (readonly [name: string, value: string])[];

/** One request, GET or POST; what cannot be equal is taken out of its answer. */
export async function ask(
  base: string,
  path: string,
  parameters: Parameters,
  post: boolean,
): Promise<Answer> {
  const form = new URLSearchParams(parameters.map(([name, value]): [string, string] => [name, value]));
  const response = post
    ? await fetch(base + path, { method: 'POST', body: form })
    : await fetch(`${base}${path}?${form}`);
  const text = await response.text();
  const type = response.headers.get('content-type');
  const isJson = type?.startsWith('application/json') === true;
  return { status: response.status, type, body: isJson ? normalized(JSON.parse(text)) : lines(text) };
}

interface Envelope {
  readonly data?: { readonly resultType?: string; readonly result?: unknown[]; readonly stats?: unknown };
  readonly error?: string;
  readonly warnings?: readonly string[];
  readonly infos?: readonly string[];
}

/** The order of instant vectors and of annotations is nobody's, and times of evaluation differ. */
function normalized(body: unknown): unknown {
  const { data, warnings = [], infos = [], error, ...others } = body as Envelope;
  // A head of Prometheus's has its series in the order in which they came: other two of them are the first duplicates.
  const rest = {
    ...others,
    ...(error !== undefined && { error: error.replace(/(?<=match group ).*(?=;many-to-many)/, '…') }),
  };
  const notes = {
    warnings: warnings.map(comparable).toSorted(),
    infos: infos
      .filter((info) => !info.includes('one replica'))
      .map(comparable)
      .toSorted(),
  };
  if (data?.resultType !== 'vector') return { ...rest, ...notes, data: withoutStats(data) };
  const result = data.result?.toSorted((a, b) => (metricText(a) < metricText(b) ? -1 : 1));
  return { ...rest, ...notes, data: { ...withoutStats(data), result } };
}

function metricText(sample: unknown): string {
  const { metric } = sample as { readonly metric: Readonly<Record<string, string>> };
  return JSON.stringify(Object.entries(metric).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function withoutStats(data: Envelope['data']): Envelope['data'] {
  return data?.stats === undefined ? data : { ...data, stats: 'some' };
}

/** Prometheus counts samples again at every step, and the last bit of a transcendental function may differ. */
function comparable(text: string): string {
  const number = (_: string, digits: string): string => `got ${Number(digits).toPrecision(12)}`;
  return text
    .replace(/over -?\d+ samples/, 'over some samples')
    .replace(/got (-?[\d.]+(?:e[-+]\d+)?)/, number);
}

/** Sums in another order agree on this. */
const tolerance = 1e-12;

/** Whether they are equal, numbers in strings as far as that goes. */
function isAlike(a: unknown, b: unknown): boolean {
  if (typeof a === 'string' && typeof b === 'string') return a === b || isNear(a, b);
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, i) => isAlike(item, b[i]));
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return Object.is(a, b);
  const [left, right] = [a, b] as Readonly<Record<string, unknown>>[];
  const names = Object.keys(left!);
  return (
    names.length === Object.keys(right!).length &&
    names.every((name) => name in right! && isAlike(left![name], right![name]))
  );
}

function isNear(a: string, b: string): boolean {
  const isNumber = /^-?\d+(?:\.\d+)?(?:e[-+]\d+)?$/;
  if (!isNumber.test(a) || !isNumber.test(b)) return false;
  return Math.abs(Number(a) - Number(b)) <= tolerance * Math.max(Math.abs(Number(a)), Math.abs(Number(b)));
}

function lines(text: string): string[] {
  return text.split('\n').toSorted();
}

/** What differs between two servers' answers, as text; undefined if nothing does. */
export async function differenceBetween(
  asked: string,
  reference: string,
  path: string,
  parameters: Parameters,
  post = false,
): Promise<string | undefined> {
  const [ours, theirs] = await Promise.all([
    ask(asked, path, parameters, post),
    ask(reference, path, parameters, post),
  ]);
  if (isAlike(ours, theirs) || (await isByChance(reference, path, parameters, theirs))) return undefined;
  const [got, want] = [JSON.stringify(ours), JSON.stringify(theirs)];
  return `${path} ${JSON.stringify(parameters)}\n  got  ${got}\n  want ${want}`;
}

/** Go visits maps in any order: which of many warnings are shown, or which two of many series an error names. */
async function isByChance(
  reference: string,
  path: string,
  parameters: Parameters,
  first: Answer,
): Promise<boolean> {
  for (let again = 0; again < 20; again++)
    if (!isAlike(first, await ask(reference, path, parameters, false))) return true;
  return false;
}
