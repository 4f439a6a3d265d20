// The files of `flotilla test rules`: their shape, which is that of promtool's unit tests, checked strictly.

import { parseDuration, parseGoFloat } from '@flotilla/model';
import { parseYaml } from '../yaml-file.ts';
import type { YamlDocument } from '../yaml-file.ts';

export interface UnitTestFile {
  readonly ruleFiles: readonly string[];
  readonly evaluationIntervalMs: number;
  readonly groupEvalOrder: readonly string[];
  readonly fuzzyCompare: boolean;
  readonly tests: readonly TestGroup[];
}

/** Input series and what is expected of them. */
export interface TestGroup {
  /** '' for none. */
  readonly name: string;
  /** Of the samples in the input. */
  readonly intervalMs: number;
  readonly inputSeries: readonly { readonly series: string; readonly values: string }[];
  readonly alertTests: readonly AlertTest[];
  readonly exprTests: readonly ExprTest[];
  readonly externalLabels: Readonly<Record<string, string>>;
  readonly externalUrl: string;
  readonly startMs: number;
}

/** Times count from the start of the test. */
export interface AlertTest {
  readonly evalTimeMs: number;
  readonly alertname: string;
  readonly alerts: readonly {
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  }[];
}

export interface ExprTest {
  readonly evalTimeMs: number;
  readonly expr: string;
  readonly samples: readonly ExpectedSample[];
}

export interface ExpectedSample {
  readonly labels: string;
  readonly value: number;
  /** '' for a float. */
  readonly histogram: string;
}

const defaultIntervalMs = 60_000;
type Path = readonly (string | number)[];

/** Parses a file. Throws SyntaxError with all that is wrong in it. */
export function parseUnitTestFile(text: string): UnitTestFile {
  const { documents, errors } = parseYaml(text, 'text');
  if (errors.length > 0)
    throw new SyntaxError(
      `yaml: ${errors.map(({ line, message }) => `line ${line}: ${message}`).join('\n')}`,
    );
  const [document] = documents;
  const reader = new FieldReader(document);
  const file = readFile(reader, document?.value);
  if (reader.faults.length > 0) throw new SyntaxError(`yaml: unmarshal errors:\n${reader.faults.join('\n')}`);
  return file;
}

function readFile(reader: FieldReader, value: unknown): UnitTestFile {
  const file = reader.fields(
    value,
    [],
    ['rule_files', 'evaluation_interval', 'group_eval_order', 'tests', 'fuzzy_compare'],
  );
  const intervalMs = file.duration('evaluation_interval') || defaultIntervalMs;
  return {
    ruleFiles: file.list('rule_files', (one, path) => reader.text(one, path)),
    evaluationIntervalMs: intervalMs,
    groupEvalOrder: file.list('group_eval_order', (one, path) => reader.text(one, path)),
    fuzzyCompare: file.boolean('fuzzy_compare'),
    tests: file.list('tests', (one, path) => readTestGroup(reader, one, path, intervalMs)),
  };
}

function readTestGroup(reader: FieldReader, value: unknown, path: Path, intervalMs: number): TestGroup {
  const group = reader.fields(value, path, [
    'interval',
    'input_series',
    'alert_rule_test',
    'promql_expr_test',
    'external_labels',
    'external_url',
    'name',
    'start_timestamp',
  ]);
  return {
    name: group.text('name'),
    intervalMs: group.duration('interval') || intervalMs,
    inputSeries: group.list('input_series', (one, at) => {
      const series = reader.fields(one, at, ['series', 'values']);
      return { series: series.text('series'), values: series.text('values') };
    }),
    alertTests: group.list('alert_rule_test', (one, at) => readAlertTest(reader, one, at)),
    exprTests: group.list('promql_expr_test', (one, at) => readExprTest(reader, one, at)),
    externalLabels: group.texts('external_labels'),
    externalUrl: group.text('external_url'),
    startMs: group.time('start_timestamp'),
  };
}

function readAlertTest(reader: FieldReader, value: unknown, path: Path): AlertTest {
  const test = reader.fields(value, path, ['eval_time', 'alertname', 'exp_alerts']);
  return {
    evalTimeMs: test.duration('eval_time'),
    alertname: test.text('alertname'),
    alerts: test.list('exp_alerts', (one, at) => {
      const alert = reader.fields(one, at, ['exp_labels', 'exp_annotations']);
      return { labels: alert.texts('exp_labels'), annotations: alert.texts('exp_annotations') };
    }),
  };
}

function readExprTest(reader: FieldReader, value: unknown, path: Path): ExprTest {
  const test = reader.fields(value, path, ['expr', 'eval_time', 'exp_samples']);
  return {
    evalTimeMs: test.duration('eval_time'),
    expr: test.text('expr'),
    samples: test.list('exp_samples', (one, at) => {
      const sample = reader.fields(one, at, ['labels', 'value', 'histogram']);
      return {
        labels: sample.text('labels'),
        value: sample.number('value'),
        histogram: sample.text('histogram'),
      };
    }),
  };
}

/** Reads one mapping. */
interface Fields {
  text(name: string): string;
  texts(name: string): Record<string, string>;
  number(name: string): number;
  boolean(name: string): boolean;
  /** 0 if it is absent. */
  duration(name: string): number;
  time(name: string): number;
  list<T>(name: string, read: (one: unknown, path: Path) => T): T[];
}

/** Collects what is wrong, with its line. */
class FieldReader {
  readonly faults: string[] = [];
  readonly #document: YamlDocument | undefined;

  constructor(document: YamlDocument | undefined) {
    this.#document = document;
  }

  text(value: unknown, path: Path): string {
    if (value === undefined) return '';
    if (typeof value === 'string') return value;
    return this.#refuse(path, 'want a string', '');
  }

  fields(value: unknown, path: Path, names: readonly string[]): Fields {
    const object = this.#mapping(value, path);
    for (const name of Object.keys(object)) {
      if (!names.includes(name))
        this.#refuse([...path, name], `field ${name} not found, want one of ${names.join(', ')}`, 0);
    }
    const parsed = <T>(name: string, parse: (text: string) => T, absent: T): T => {
      if (object[name] === undefined) return absent;
      try {
        return parse(this.text(object[name], [...path, name]));
      } catch (error) {
        return this.#refuse([...path, name], (error as Error).message, absent);
      }
    };
    return {
      text: (name) => this.text(object[name], [...path, name]),
      texts: (name) => this.#texts(object[name], [...path, name]),
      number: (name) => parsed(name, parseNumber, 0),
      boolean: (name) => parsed(name, parseBoolean, false),
      duration: (name) => parsed(name, parseDuration, 0),
      time: (name) => parsed(name, parseTimeMs, 0),
      list: (name, read) =>
        this.#list(object[name], [...path, name]).map((one, i) => read(one, [...path, name, i])),
    };
  }

  #texts(value: unknown, path: Path): Record<string, string> {
    const entries = Object.entries(this.#mapping(value, path));
    return Object.fromEntries(entries.map(([name, text]) => [name, this.text(text, [...path, name])]));
  }

  #mapping(value: unknown, path: Path): Readonly<Record<string, unknown>> {
    if (isNull(value)) return {};
    if (typeof value !== 'object' || Array.isArray(value)) return this.#refuse(path, 'want a mapping', {});
    return value as Readonly<Record<string, unknown>>;
  }

  #list(value: unknown, path: Path): readonly unknown[] {
    if (isNull(value)) return [];
    return Array.isArray(value) ? (value as unknown[]) : this.#refuse(path, 'want a list', []);
  }

  #refuse<T>(path: Path, reason: string, instead: T): T {
    this.faults.push(`  line ${this.#document?.positionOf(path).line ?? 1}: ${path.join('.')}: ${reason}`);
    return instead;
  }
}

function isNull(value: unknown): boolean {
  return value === undefined || value === null || value === '' || value === '~' || value === 'null';
}

/** A number of YAML 1.1, which Go reads too. */
function parseNumber(text: string): number {
  const special = /^([+-]?)\.(inf|nan)$/i.exec(text);
  const value = parseGoFloat(special === null ? text : `${special[1]}${special[2]}`);
  if (value === undefined) throw new SyntaxError(`got ${JSON.stringify(text)}, want a number`);
  return value;
}

function parseBoolean(text: string): boolean {
  if (/^(?:true|yes|on|y)$/i.test(text)) return true;
  if (/^(?:false|no|off|n)$/i.test(text)) return false;
  throw new SyntaxError(`got ${JSON.stringify(text)}, want true or false`);
}

/** Seconds since the epoch, or RFC 3339. */
function parseTimeMs(text: string): number {
  const seconds = parseGoFloat(text);
  if (seconds !== undefined) return Math.round(seconds * 1000);
  const timeMs = /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : NaN;
  if (Number.isNaN(timeMs))
    throw new SyntaxError(`cannot parse ${JSON.stringify(text)} to a valid timestamp`);
  return timeMs;
}
