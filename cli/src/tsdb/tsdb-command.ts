// The command `flotilla tsdb` and its parts.

import type { Command } from 'commander';
import type { Printer } from '../query.ts';
import { type CreateOptions, createBlocks } from './create-blocks.ts';
import { analyze, dump, type DumpOptions, listBlocks, verify } from './inspect.ts';

const collect = (value: string, before: string[] | undefined): string[] => [...(before ?? []), value];

/** `exitUnless` sets the exit code to 1 when it gets false. */
export function addTsdbCommand(
  flotilla: Command,
  printer: Printer,
  exitUnless: (good: boolean) => void,
): void {
  const tsdb = flotilla.command('tsdb').description('look at a data folder, and make blocks');
  tsdb
    .command('list [folder]')
    .description('list the blocks')
    .option('-r, --human-readable', 'times and sizes for people')
    .action((folder: string | undefined, options: { humanReadable?: boolean }) =>
      listBlocks(folder ?? 'data/', options.humanReadable ?? false, printer),
    );
  tsdb
    .command('analyze [folder] [block]')
    .description('count series, labels and churn of a block; the last one unless named')
    .option('--limit <n>', 'how many items each list has', '20')
    .action((folder: string | undefined, block: string | undefined, options: { limit: string }) =>
      exitUnless(analyze(folder ?? 'data/', block, Number(options.limit), printer)),
    );
  tsdb
    .command('dump [folder]')
    .description('print every sample of blocks and WAL')
    .option('--match <selector>', 'series to print; may be given more than once', collect)
    .option('--min-time <ms>', 'first time, milliseconds since 1970')
    .option('--max-time <ms>', 'last time')
    .action((folder: string | undefined, options: DumpOptions) => dump(folder ?? 'data/', options, printer));
  tsdb
    .command('verify [folder]')
    .description('read every byte of blocks and logs, and name what is damaged')
    .action((folder: string | undefined) => exitUnless(verify(folder ?? 'data/', printer)));
  tsdb
    .command('create-blocks-from')
    .description('import samples')
    .command('openmetrics <file> [folder]')
    .description('make blocks from OpenMetrics text with timestamps')
    .option('--label <name=value>', 'attach a label; may be given more than once', collect)
    .option('-q, --quiet', 'do not print the new blocks')
    .action(async (file: string, folder: string | undefined, options: CreateOptions) => {
      await createBlocks(file, folder ?? 'data/', options, printer);
    });
}
