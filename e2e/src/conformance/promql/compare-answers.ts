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
  readonly warnings?: readonly string[];
  readonly infos?: readonly string[];
}

/** The order of instant vectors and of annotations is nobody's, and times of evaluation differ. */
function normalized(body: unknown): unknown {
  const { data, warnings = [], infos = [], ...rest } = body as Envelope;
  const notes = {
    warnings: warnings.map(comparable).toSorted(),
    infos: infos
      .filter((info) => !info.includes('one replica'))
      .map(comparable)
      .toSorted(),
  };
  if (data?.resultType !== 'vector') return { ...rest, ...notes, data: rounded(withoutStats(data)) };
  const result = data.result
    ?.map(rounded)
    .toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  return { ...rest, ...notes, data: { ...withoutStats(data), result } };
}

function withoutStats(data: Envelope['data']): Envelope['data'] {
  return data?.stats === undefined ? data : { ...data, stats: 'some' };
}

function comparable(text: string): string {
  return text.replace(/over -?\d+ samples/, 'over some samples').replace(/got -?[\d.e+-]+$/, 'got a number');
}

/** Numbers in strings to 12 digits, which is what sums in another order agree on. */
function rounded(value: unknown): unknown {
  if (typeof value === 'string' && /^-?\d+(?:\.\d+)?(?:e[-+]\d+)?$/.test(value))
    return Number(value).toPrecision(11);
  if (Array.isArray(value)) return value.map(rounded);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, rounded(item)]));
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
  const [got, want] = [JSON.stringify(ours), JSON.stringify(theirs)];
  return got === want ? undefined : `${path} ${JSON.stringify(parameters)}\n  got  ${got}\n  want ${want}`;
}
