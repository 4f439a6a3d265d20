// The command `flotilla`. Exit codes: 0 done, 1 failed or nothing found, 2 used wrongly.

import { Command, Option } from 'commander';
import { VERSION } from '@flotilla/chassis';
import { cardinality } from './cardinality.ts';
import { checkManifests } from './check-manifests.ts';
import { checkRules } from './check-rules.ts';
import type { CheckRulesOptions } from './check-rules.ts';
import { query } from './query.ts';
import type { Printer, QueryOptions } from './query.ts';
import { formatPromql, testPromql } from './test-promql.ts';
import { testRules } from './test-rules/test-rules.ts';
import type { TestRulesOptions } from './test-rules/test-rules.ts';
import { addTsdbCommand } from './tsdb/tsdb-command.ts';
import { up } from './up/up.ts';
import { why } from './why.ts';

const printer: Printer = {
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
};
const server = new Option('--server <url>', 'address of a querier').default('http://127.0.0.1:9090');

function program(): Command {
  const flotilla = new Command('flotilla')
    .version(VERSION)
    .description('Turns ServiceMonitors into a fleet.');
  flotilla.exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
  flotilla
    .command('up <folder>')
    .description('run a fleet on this machine from a folder of manifests')
    .option('--listen <host:port>', 'address of the page and the API', '127.0.0.1:9090')
    .option('--data <folder>', 'where data and state are kept', '.flotilla')
    .option('--log-level <level>', 'debug, info, warn or error', 'info')
    .action((folder: string, options: { listen: string; data: string; logLevel: string }) =>
      up({ folder, ...options }),
    );
  flotilla
    .command('query <expr>')
    .description('run a PromQL query')
    .addOption(server)
    .option('--time <time>', 'evaluation time of an instant query, RFC 3339 or Unix seconds')
    .option('--start <time>', 'start of a range query')
    .option('--end <time>', 'end of a range query')
    .option('--step <duration>', 'step of a range query')
    .option('--explain', 'print how the query would be evaluated, instead of running it')
    .option('--analyze', 'run the query, and print what each part of its evaluation cost')
    .addOption(new Option('--output <form>', 'how to print').choices(['table', 'json']).default('table'))
    .action((expr: string, options: QueryOptions) => query(expr, options, printer));
  flotilla
    .command('why <target>')
    .description('explain what became of an address, URL, Service or Pod')
    .addOption(server)
    .action(async (text: string, options: { server: string }) =>
      exitUnless(await why(text, options.server, printer)),
    );
  flotilla
    .command('cardinality')
    .description('show what the series of the fleet are made of, by metric, target, label pair and label')
    .addOption(server)
    .option('--limit <n>', 'lines of each list', '10')
    .action((options: { server: string; limit: string }) => cardinality(options, printer));
  const check = flotilla.command('check').description('check files');
  addCheckRules(check);
  check
    .command('manifests <paths...>')
    .description('check manifests: YAML, required fields, durations, relabelings, duplicates')
    .action((paths: string[]) => exitUnless(checkManifests(paths, printer)));
  addTestCommand(flotilla);
  flotilla
    .command('promql')
    .description('work with queries')
    .command('format <query>')
    .description('print a query in its canonical form')
    .action((text: string) => formatPromql(text, printer));
  addTsdbCommand(flotilla, printer, exitUnless);
  return flotilla;
}

function addCheckRules(check: Command): void {
  check
    .command('rules [files...]')
    .description('check rule files and PrometheusRule manifests, or standard input')
    .option('--lint <names>', 'all, duplicate-rules or none', 'duplicate-rules')
    .option('--lint-fatal', 'exit with 3 when a lint finds something')
    .option('--ignore-unknown-fields', 'let fields pass that Prometheus does not know')
    .option('--enable-feature <names>', 'features of PromQL, with commas between them', oneMore)
    .action((files: string[], options: CheckRulesOptions) => {
      process.exitCode = checkRules(files, printer, options);
    });
}

function addTestCommand(flotilla: Command): void {
  const test = flotilla.command('test').description('run tests');
  test
    .command('promql <files...>')
    .description("run files of PromQL's test language")
    .action(async (files: string[]) => exitUnless(await testPromql(files, printer)));
  test
    .command('rules <files...>')
    .description("run promtool's unit tests of rules")
    .option('--run <regexp>', 'only test groups whose names match; may be given again', oneMore)
    .option('--junit <file>', 'write the results as JUnit XML')
    .option('--debug', 'print when each test starts and ends, and all its data')
    .option('--diff', 'print expected and received alerts as one coloured text')
    .option('--ignore-unknown-fields', 'let fields of rule files pass that Prometheus does not know')
    .option('--enable-feature <names>', 'features of PromQL, with commas between them', oneMore)
    .action(async (files: string[], options: TestRulesOptions) =>
      exitUnless(await testRules(files, options, printer)),
    );
}

/** Of an option that may be given again. */
function oneMore(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

function exitUnless(good: boolean): void {
  if (!good) process.exitCode = 1;
}

/** The message with those of its causes. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${describe(error.cause)}`;
}

try {
  await program().parseAsync();
} catch (error) {
  printer.err(`flotilla: ${describe(error)}`);
  process.exitCode = 1;
}
