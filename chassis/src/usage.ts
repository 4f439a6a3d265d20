// The text that --help prints, and the error that ends a program with a text instead of a stack trace.

import type { Flag, FlagSpec } from './flag-spec.ts';

/** Ends the program: `text` goes to stdout for code 0, else to stderr. runMain acts on it. */
export class ProgramExit extends Error {
  readonly exitCode: number;
  constructor(exitCode: number, text: string) {
    super(text);
    this.name = 'ProgramExit';
    this.exitCode = exitCode;
  }
}

/** All flags with type, default and help, sorted by name. */
export function usageText(program: string, spec: FlagSpec): string {
  const lines = Object.entries(spec)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, flag]) => `  --${nameColumn(name, flag)}\n        ${flag.help}${notes(flag)}\n`);
  return `usage: ${program} [flags]\n\nflags:\n${lines.join('')}  --help\n  --version\n`;
}

function nameColumn(name: string, flag: Flag): string {
  if (flag.type === 'boolean') return flag.default === true ? `[no-]${name}` : name;
  const value = flag.default === undefined ? `<${flag.type}>` : JSON.stringify(flag.default);
  return `${name}=${value}${flag.type === 'list' ? ' ...' : ''}`;
}

function notes(flag: Flag): string {
  const choices = flag.choices === undefined ? '' : ` One of: ${flag.choices.join(', ')}.`;
  return choices + (flag.required === true ? ' Required.' : '');
}
