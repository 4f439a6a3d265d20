// Pages for many rounds, made of recorded ones: whole pages whose values change, and small parts of them that are damaged:
// lines and families lost, doubled and swapped, bytes flipped, ends cut off. The same for the same seed, case and round.

import { Random } from '../promql/random.ts';
import { type RoundsJob, roundsJobs } from './rounds-jobs.ts';
import type { Recording } from './recordings.ts';

export interface RoundsCase {
  readonly job: RoundsJob;
  readonly contentType: string;
  readonly shown: string;
  /** Some of its samples have times of their own. */
  readonly isTimed: boolean;
  readonly body: (round: number) => Buffer;
}

const openMetrics = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
const linesMax = 24;
const messageBytesMax = 3000;
/** Families that some exporters have thousands of lines of. */
const largePage = 1_000_000;

/** Whole pages, as each format's settings read them. Times in the pages begin at `baseMs`. */
export function wholePages(recordings: readonly Recording[], baseMs: number): RoundsCase[] {
  return recordings.flatMap((recording) => {
    const { exporter, format, contentType, bodies, isTimed } = recording;
    const isLarge = bodies[0]!.length > largePage;
    const shown = `${exporter} ${format}`;
    if (format === 'protobuf') {
      const body = (round: number): Buffer => bodies[round % bodies.length]!;
      const jobs: RoundsJob[] = isLarge ? ['native'] : ['plain', 'native', 'both', 'convertBoth'];
      return jobs.map((job) => ({ job, contentType, shown, isTimed, body }));
    }
    const pages = bodies.map((page) => familiesOfText(page.toString()));
    const jobs: RoundsJob[] = isLarge ? ['plain'] : ['plain', 'convert', 'relabeled'];
    const asText = lastBody(wholePage(pages, baseMs, false));
    const asOpenMetrics = lastBody(wholePage(pages, baseMs, true));
    return jobs.flatMap((job) => [
      ...(format === 'openMetrics' ? [] : [{ job, contentType, shown, isTimed, body: asText }]),
      {
        ...{ job, contentType: openMetrics, isTimed },
        shown: `${shown} as OpenMetrics`,
        body: asOpenMetrics,
      },
    ]);
  });
}

function wholePage(
  pages: readonly (readonly string[][])[],
  baseMs: number,
  isOpenMetrics: boolean,
): (round: number) => Buffer {
  const converted = pages.map((families) =>
    isOpenMetrics ? families.map((lines) => openMetricsLines(lines)) : families,
  );
  return (round) => {
    const times = { round, baseMs, isTimed: false, keepsTimes: true };
    const change = { ...times, random: new Random(round), isOpenMetrics, isWhole: true };
    const lines = converted[round % converted.length]!.flatMap((family) => changed(family, change));
    return pageOf(lines, change.random, { round, isOpenMetrics, isConverted: true });
  };
}

/** Most of what one system asks for, another one has asked for just now. */
function lastBody(make: (round: number) => Buffer): (round: number) => Buffer {
  let last: { round: number; body: Buffer } = { round: -1, body: Buffer.alloc(0) };
  return (round) => {
    if (last.round !== round) last = { round, body: make(round) };
    return last.body;
  };
}

export function mutatedParts(
  recordings: readonly Recording[],
  count: number,
  seed: number,
  baseMs: number,
): RoundsCase[] {
  return Array.from({ length: count }, (_, i) => {
    const random = new Random(seed * 100_003 + i);
    const recording = random.pick(recordings);
    const { exporter, format, contentType } = recording;
    const isTimedMessages = format === 'protobuf' && recording.isTimed;
    const picked = random.pick(Object.keys(roundsJobs) as RoundsJob[]);
    const job = isTimedMessages && picked === 'tracked' ? 'plain' : picked;
    const isOpenMetrics = format === 'openMetrics' || (format !== 'protobuf' && random.chance(0.5));
    const caseSeed = random.below(2 ** 31);
    const isConverted = job.startsWith('convert');
    // Times long ago are not for series that get stale markers at the time of the scrape, nor for some lines of one histogram.
    const mayBeTimed = format !== 'protobuf' && job !== 'tracked' && !isConverted;
    const isTimed = mayBeTimed && random.chance(0.15);
    const keepsTimes = mayBeTimed;
    const mayDouble = job !== 'fewSamples';
    return {
      isTimed: isTimed || isTimedMessages || (keepsTimes && recording.isTimed),
      job,
      contentType: isOpenMetrics ? openMetrics : contentType,
      shown: `seed ${seed}, ${i}: ${exporter} ${format}${isOpenMetrics ? ' as OpenMetrics' : ''}, ${job}`,
      body:
        format === 'protobuf'
          ? messagesCase(recording, caseSeed, mayDouble)
          : linesCase(recording, caseSeed, {
              isOpenMetrics,
              isConverted,
              isTimed,
              keepsTimes,
              mayDouble,
              baseMs,
            }),
    };
  });
}

/** Lines by family: what belongs to a HELP or TYPE. */
function familiesOfText(page: string): string[][] {
  const families: string[][] = [];
  let name = '';
  for (const line of page.trimEnd().split('\n')) {
    if (line === '# EOF') continue;
    const [, own] = /^# (?:HELP|TYPE) (\S+)/.exec(line) ?? [];
    if (own !== undefined && own !== name) families.push([]);
    name = own ?? name;
    families.at(-1)?.push(line);
  }
  return families;
}

interface Change {
  readonly random: Random;
  readonly round: number;
  readonly baseMs: number;
  /** Some series have times, in each round, in OpenMetrics in seconds. */
  readonly isTimed: boolean;
  /** Those lines that have a time have one here too. */
  readonly keepsTimes: boolean;
  readonly isOpenMetrics: boolean;
  /** Nothing in it is wrong. */
  readonly isWhole: boolean;
}

/** Series, value, time. */
const samplePattern = /^([^\s{#]\S*?(?:\{.*\})?|\{.*\}) (\S+)(?: (\S+))?$/;
const validValues = ['NaN', '+Inf', '-Inf', '-0', '1e300', '1e-320', '12345678901234567890'];
/** Some are none, in one format or in all. */
const oddValues = [...validValues, '0x1p-2', '1_000', '', 'nan'];

/** Counts go up together, so that histograms stay in themselves; a few go astray. */
function changed(
  lines: readonly string[],
  { random, round, baseMs, isTimed, keepsTimes, isOpenMetrics, isWhole }: Change,
): string[] {
  const step = random.below(4) * round;
  return lines.map((line) => {
    const [, series, number, ownTime] = samplePattern.exec(line) ?? [];
    if (series === undefined) return line;
    const value = Number(number);
    const isOdd = random.chance(0.003);
    const shown = isOdd
      ? random.pick(isWhole ? validValues : oddValues)
      : `${random.chance(0.05) ? value * 1.5 : value + step}`;
    const timeMs = baseMs + round * 1000 - random.below(2) * 500;
    const hasTime = ownTime === undefined ? isTimed && placeOf(line) % 2 === 0 : keepsTimes;
    const time = hasTime ? ` ${isOpenMetrics ? timeMs / 1000 : timeMs}` : '';
    return `${series} ${goNumber(shown)}${time}`;
  });
}

function goNumber(text: string): string {
  return text === 'Infinity' ? '+Inf' : text === '-Infinity' ? '-Inf' : text;
}

/** A family as OpenMetrics has it. */
function openMetricsLines(lines: readonly string[]): string[] {
  const type = lines.map((line) => /^# TYPE \S+ (\S+)$/.exec(line)?.[1]).find((found) => found !== undefined);
  return lines.map((line) => {
    const [, kind, name, rest] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (name === undefined) return line;
    const isCounter = type === 'counter' && name.endsWith('_total');
    const own = isCounter ? name.slice(0, -'_total'.length) : name;
    const isUnknown = kind === 'TYPE' && (rest === 'untyped' || (rest === 'counter' && !isCounter));
    return `# ${kind} ${own} ${isUnknown ? 'unknown' : rest}`;
  });
}

interface PageOptions {
  readonly isOpenMetrics: boolean;
  readonly isConverted: boolean;
}

/** With exemplars in OpenMetrics. */
function pageOf(
  lines: readonly string[],
  random: Random,
  options: PageOptions & { readonly round: number },
): Buffer {
  if (!options.isOpenMetrics) return Buffer.from(`${lines.join('\n')}\n`);
  // Some of each page: a storage of exemplars holds 100 000.
  const places = Math.max(20, Math.ceil(lines.length / 10));
  const place = random.below(places);
  const page = lines.map((line) =>
    placeOf(line, places) === place ? withExemplar(line, random, options) : line,
  );
  return Buffer.from(`${[...page, '# EOF'].join('\n')}\n`);
}

/** Lines of one series have exemplars together: of two, of which one has none, ours is the other one. */
function placeOf(line: string, places = 20): number {
  let sum = 0;
  for (let i = line.indexOf(' ') - 1; i >= 0; i--) sum = (31 * sum + line.charCodeAt(i)) % 1_000_003;
  return sum % places;
}

const labelPattern = /(\w+)="((?:[^"\\]|\\.)*)"/g;

function unescaped(text: string): string {
  return text.replaceAll(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
}

/** Tells from which series an exemplar is, or, of a bucket, from which histogram. */
export function originMark(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1));
  let hash = 7;
  for (const code of Buffer.from(JSON.stringify(pairs))) hash = (31 * hash + code) % 1_000_003;
  return `${hash}`;
}

/** Of what counts. One without a time of its own may get another's there, where a histogram is made of lines. */
function withExemplar(
  line: string,
  random: Random,
  { isConverted, round }: { readonly isConverted: boolean; readonly round: number },
): string {
  if (!/^\w+(_bucket|_total)[{ ]/.test(line) || line.includes(' # ')) return line;
  // Later ones than those of earlier rounds: how late others may be is a setting. Of two with one time and value a hash decides there.
  const seconds = 1_700_000_000 + 4 * round + random.below(16) / 4;
  const time = isConverted || random.chance(0.5) ? ` ${seconds}` : '';
  const [, name = '', rest = ''] = /^(\w+?)(?:_bucket)?[{ ](.*)$/.exec(line) ?? [];
  const labels = [...rest.matchAll(labelPattern)].flatMap(([, label = '', value = '']) =>
    label === 'le' ? [] : [[label, unescaped(value)] as const],
  );
  const of = originMark(Object.fromEntries([['__name__', name], ...labels]));
  return `${line} # {of="${of}",trace_id="${random.below(1000)}"} ${random.below(1_000_000) / 8}${time}`;
}

interface LinesOptions extends PageOptions {
  readonly isTimed: boolean;
  readonly keepsTimes: boolean;
  readonly mayDouble: boolean;
  readonly baseMs: number;
}

function linesCase({ bodies }: Recording, seed: number, options: LinesOptions): (round: number) => Buffer {
  const random = new Random(seed);
  const families = familiesOfText(bodies[0]!.toString());
  const kept = Array.from({ length: 1 + random.below(3) }, () => {
    const lines = random.pick(families);
    const from = random.below(Math.max(1, lines.length - linesMax));
    return [...lines.slice(0, 2), ...lines.slice(Math.max(2, from), from + linesMax)];
  });
  const parts = kept.map((lines) => (options.isOpenMetrics ? openMetricsLines(lines) : lines));
  return (round) => {
    const own = new Random(seed + 7919 * (round + 1));
    const lines = parts.flatMap((family) =>
      changed(family, { ...options, random: own, round, isWhole: false }),
    );
    return damagedBytes(pageOf(damagedList(lines, own, options.mayDouble), own, { ...options, round }), own);
  };
}

function messagesCase({ bodies }: Recording, seed: number, mayDouble: boolean): (round: number) => Buffer {
  const random = new Random(seed);
  const pages = bodies.map((body) => messagesOf(body).filter(({ length }) => length < messageBytesMax));
  const places = Array.from({ length: 1 + random.below(3) }, () => random.below(pages[0]!.length));
  return (round) => {
    const own = new Random(seed + 7919 * (round + 1));
    const page = pages[round % pages.length]!;
    const messages = [...new Set(places)].flatMap((place) => page.slice(place, place + 1));
    return damagedBytes(Buffer.concat(damagedList(messages, own, mayDouble)), own);
  };
}

/** With their lengths before them. */
function messagesOf(body: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at < body.length;) {
    let length = 0;
    let next = at;
    for (let shift = 0; ; shift += 7) {
      const byte = body[next++]!;
      length |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    messages.push(body.subarray(at, next + length));
    at = next + length;
  }
  return messages;
}

/**
 * Mostly as it is. Lines of types stay: what the bounds of a series look like depends on its first line, and Prometheus remembers
 * those of scrapes that failed. A limit of samples counts what is doubled here, and not there.
 */
function damagedList<T extends string | Buffer>(list: readonly T[], random: Random, mayDouble: boolean): T[] {
  const isType = (one: T): boolean => typeof one === 'string' && one.startsWith('# TYPE');
  const movable = list.flatMap((one, i) => (isType(one) ? [] : [i]));
  if (movable.length === 0) return [...list];
  const [at, other] = [random.pick(movable), random.pick(movable)];
  const damage = random.weighted([
    [12, 'none'],
    [3, 'lost'],
    [mayDouble ? 1 : 0, 'doubled'],
    [1, 'swapped'],
    [1, 'half'],
  ] as const);
  switch (damage) {
    case 'lost':
      return list.toSpliced(at, 1);
    case 'doubled':
      return list.toSpliced(other, 0, list[at]!);
    case 'swapped':
      return list.with(at, list[other]!).with(other, list[at]!);
    case 'half':
      return list.filter((one) => isType(one) || random.chance(0.5));
    case 'none':
      return [...list];
  }
}

function damagedBytes(body: Buffer, random: Random): Buffer {
  if (body.length === 0 || !random.chance(0.12)) return body;
  if (random.chance(0.25)) return body.subarray(0, random.below(body.length));
  const flipped = Buffer.from(body);
  const at = random.below(body.length);
  flipped[at] = random.chance(0.5) ? flipped[at]! ^ (1 << random.below(8)) : random.below(256);
  return flipped;
}
