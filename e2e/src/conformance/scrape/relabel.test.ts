// Proof: our relabeling does what Prometheus's does, for the tables of its tests and for random rules.
// FLOTILLA_RELABEL_RUNS: how many; FLOTILLA_RELABEL_SEED: of which seed.

import { expect, test } from '@jest/globals';
import {
  Labels,
  type NameScheme,
  parseRelabelRule,
  PatternError,
  relabel,
  type RelabelConfig,
} from '@flotilla/model';
import {
  askRelabeling,
  environment,
  type FileRule,
  readTables,
  type RelabelAnswer,
  type RelabelRequest,
} from './oracle.ts';
import { relabelRequests } from './relabel-fuzz.ts';

const runs = Number(process.env['FLOTILLA_RELABEL_RUNS'] ?? 40_000);
const seed = Number(process.env['FLOTILLA_RELABEL_SEED'] ?? 1);
const tables = readTables(environment('FLOTILLA_RELABEL_TABLES'), ['TestRelabel', 'TestRelabelValidate']);

/** A rule as Go has it; what is missing is empty. */
interface GoRule {
  readonly Action?: string;
  readonly SourceLabels?: readonly string[];
  readonly Separator?: string;
  readonly TargetLabel?: string;
  readonly Regex?: string;
  readonly Modulus?: number;
  readonly Replacement?: string;
  readonly NameValidationScheme?: string;
}

/** In the tables, what is empty has the default. */
function ofTable(rule: GoRule): RelabelConfig {
  return {
    ...(rule.Action !== undefined && { action: rule.Action }),
    ...(rule.SourceLabels !== undefined && { sourceLabels: rule.SourceLabels }),
    ...(rule.Separator !== undefined && { separator: rule.Separator }),
    ...(rule.TargetLabel !== undefined && { targetLabel: rule.TargetLabel }),
    ...(rule.Regex !== undefined && { regex: rule.Regex }),
    ...(rule.Modulus !== undefined && { modulus: rule.Modulus }),
    ...(rule.Replacement !== undefined && { replacement: rule.Replacement }),
  };
}

/** An empty pattern of a file is one; ours of the operator's objects is none. */
function ofFile({ regex, source_labels, target_label, ...rest }: FileRule): RelabelConfig {
  return {
    ...rest,
    ...(source_labels !== undefined && { sourceLabels: source_labels }),
    ...(target_label !== undefined && { targetLabel: target_label }),
    ...(regex !== undefined && { regex: regex || '()' }),
  };
}

function run(
  labels: Readonly<Record<string, string>>,
  configs: readonly RelabelConfig[],
  scheme: NameScheme = 'utf8',
): RelabelAnswer {
  const [error] = errorsOf(configs, scheme);
  if (error !== undefined) return { error };
  const rules = configs.map((config) => parseRelabelRule(config, scheme));
  const found = relabel(Labels.fromRecord(labels), rules);
  return found === undefined ? { dropped: true } : { labels: found.toRecord() };
}

/** Of each rule that is refused. */
function errorsOf(configs: readonly RelabelConfig[], scheme: NameScheme): string[] {
  return configs.flatMap((config) => {
    try {
      parseRelabelRule(config, scheme);
      return [];
    } catch (err) {
      if (err instanceof PatternError) return ['pattern'];
      if (err instanceof RangeError) return [err.message];
      throw err;
    }
  });
}

test("the table of Prometheus's relabeling", () => {
  const rows = tables.get('TestRelabel') as readonly {
    readonly input: Readonly<Record<string, string>>;
    readonly relabel: readonly GoRule[];
    readonly output?: Readonly<Record<string, string>>;
    readonly drop?: boolean;
  }[];
  expect(rows.length).toBeGreaterThanOrEqual(34);
  const want = rows.map(({ drop, output }) => (drop ? { dropped: true } : { labels: output ?? {} }));
  expect(rows.map((row) => run(row.input, row.relabel.map(ofTable)))).toEqual(want);
});

test('the table of rules that are refused', () => {
  const rows = tables.get('TestRelabelValidate') as readonly { config: GoRule; expected?: string }[];
  expect(rows.length).toBeGreaterThanOrEqual(10);
  // A rule of a file has an action, which none of the table's first row says.
  for (const { config, expected } of rows.filter(({ config: { Action } }) => Action !== undefined)) {
    const scheme = config.NameValidationScheme === 'legacy' ? 'legacy' : 'utf8';
    const { error = '' } = run({}, [ofTable(config)], scheme);
    expect([config, error]).toEqual([
      config,
      expected === undefined ? '' : (expect.stringContaining(expected) as unknown),
    ]);
  }
});

test(`${runs} random rule sets do the same, or are refused with the same words`, () => {
  const requests = relabelRequests(seed, runs);
  const theirs = askRelabeling(requests);
  const different: unknown[] = [];
  const counts = { error: 0, dropped: 0, labels: 0 };
  for (const [i, request] of requests.entries()) {
    const their = theirs[i]!;
    const configs = request.rules.map(ofFile);
    counts[Object.keys(their)[0] as keyof typeof counts]++;
    if (!isSame(request, configs, their))
      different.push({
        request: JSON.stringify(request),
        our: run(request.labels, configs, request.scheme),
        their,
      });
  }
  console.log(`seed ${seed}: ${counts.labels} kept, ${counts.dropped} dropped, ${counts.error} refused`);
  expect(counts.labels).toBeGreaterThan(runs / 3);
  expect(different.slice(0, 10)).toEqual([]);
});

function isSame(
  { labels, scheme }: RelabelRequest,
  configs: readonly RelabelConfig[],
  their: RelabelAnswer,
): boolean {
  const errors = errorsOf(configs, scheme);
  // Of some errors, which one is told is by the order of checks.
  if (their.error !== undefined)
    return errors.includes(their.error.includes('error parsing regexp') ? 'pattern' : their.error);
  if (errors.length > 0) return false;
  return JSON.stringify(sorted(run(labels, configs, scheme))) === JSON.stringify(sorted(their));
}

/** Without a label that has no name: it makes scrapes fail there, and is never made here. */
function sorted({ labels = {}, ...rest }: RelabelAnswer): unknown {
  const named = Object.entries(labels).filter(([name]) => name !== '');
  return [rest, named.toSorted(([a], [b]) => (a < b ? -1 : 1))];
}
