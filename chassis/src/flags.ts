// Prometheus-style flags: `--web.listen-address=127.0.0.1:0`, `--flag`, `--no-flag`, `--name value`.
//
// A FlagSpec is the one declaration of a binary's configuration; the frozen, typed result is the only
// place that the rest of the binary reads it from. With `--config.file` in the spec, a YAML file may hold
// the same keys, nested or dotted; a flag on the command line wins over the file.

import { parseArgs } from 'node:util';
import { parseByteSize, parseDuration } from '@flotilla/model';
import { errorText } from './error-text.ts';
import { readConfigFile } from './config-file.ts';
import type { Flag, FlagSpec, FlagType, FlagValues } from './flag-spec.ts';
import { nearest } from './nearest.ts';
import { ProgramExit, usageText } from './usage.ts';
import { VERSION } from './version.ts';

/**
 * Values of `spec` from `argv` (without node and script), the config file, and the defaults; frozen.
 *
 * Throws ProgramExit: code 0 for --help and --version, code 2 for `flag --x: got "y", want …`.
 */
export function parseFlags<const S extends FlagSpec>(
  spec: S,
  argv: readonly string[],
  program = 'flotilla',
): FlagValues<S> {
  try {
    const given = readArguments(spec, argv);
    const filePath = given.get('config.file')?.at(-1);
    if (filePath !== undefined && spec['config.file'] !== undefined) {
      for (const [name, texts] of readConfigFile(filePath, Object.keys(spec))) {
        if (!given.has(name)) given.set(name, texts);
      }
    }
    return Object.freeze(valuesOf(spec, given)) as FlagValues<S>;
  } catch (err) {
    if (err instanceof HelpAsked) throw new ProgramExit(0, usageText(program, spec));
    if (err instanceof VersionAsked) throw new ProgramExit(0, `${program}, version ${VERSION}\n`);
    throw new ProgramExit(2, `${program}: ${errorText(err)}\nusage: ${program} [flags]; see --help\n`);
  }
}

class HelpAsked extends Error {}
class VersionAsked extends Error {}

function readArguments(spec: FlagSpec, argv: readonly string[]): Map<string, string[]> {
  const given = new Map<string, string[]>();
  const options = Object.fromEntries(
    Object.entries(spec).map(([name, flag]) => [
      name,
      { type: flag.type === 'boolean' ? ('boolean' as const) : ('string' as const) },
    ]),
  );
  const args = argv.map((arg) => (arg === '-h' ? '--help' : arg));
  const { tokens } = parseArgs({ args, options, strict: false, tokens: true, allowPositionals: true });
  for (const token of tokens) {
    if (token.kind === 'positional')
      throw new Error(`argument "${token.value}": unexpected, want flags only`);
    if (token.kind === 'option') addOption(spec, given, token);
  }
  return given;
}

interface OptionToken {
  readonly name: string;
  readonly value: string | undefined;
  readonly inlineValue: boolean | undefined;
}

function addOption(spec: FlagSpec, given: Map<string, string[]>, token: OptionToken): void {
  if (token.name === 'help' && !Object.hasOwn(spec, 'help')) throw new HelpAsked();
  if (token.name === 'version' && !Object.hasOwn(spec, 'version')) throw new VersionAsked();
  const { name, text } = nameAndText(spec, token);
  const texts = given.get(name);
  if (texts === undefined) given.set(name, [text]);
  else if (spec[name]?.type === 'list') texts.push(text);
  else throw new Error(`flag --${name}: given twice, want it once`);
}

function nameAndText(
  spec: FlagSpec,
  { name, value, inlineValue }: OptionToken,
): { name: string; text: string } {
  const flag = Object.hasOwn(spec, name) ? spec[name] : undefined;
  if (flag === undefined) {
    const positive = name.startsWith('no-') ? name.slice(3) : '';
    if (Object.hasOwn(spec, positive) && spec[positive]?.type === 'boolean' && value === undefined) {
      return { name: positive, text: 'false' };
    }
    throw new Error(`flag --${name}: unknown${nearest(name, Object.keys(spec), '--')}`);
  }
  if (value === undefined && flag.type !== 'boolean')
    throw new Error(`flag --${name}: no value, want ${wantOf(flag)}`);
  if (inlineValue === false && value?.startsWith('-') === true) {
    throw new Error(
      `flag --${name}: got "${value}", want ${wantOf(flag)} (write --${name}=${value} if it is meant)`,
    );
  }
  return { name, text: value ?? 'true' };
}

function valuesOf(spec: FlagSpec, given: ReadonlyMap<string, readonly string[]>): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [name, flag] of Object.entries(spec)) {
    const texts = given.get(name) ?? defaultTexts(flag);
    if (texts === undefined && flag.required === true)
      throw new Error(`flag --${name}: missing, want ${wantOf(flag)}`);
    values[name] = valueOf(name, flag, texts);
  }
  return values;
}

function defaultTexts(flag: Flag): readonly string[] | undefined {
  if (flag.default === undefined) return flag.type === 'boolean' ? ['false'] : undefined;
  return flag.type === 'list' ? flag.default : [String(flag.default)];
}

function valueOf(name: string, flag: Flag, texts: readonly string[] | undefined): unknown {
  if (flag.type === 'list') return Object.freeze((texts ?? []).map((text) => checkChoice(name, flag, text)));
  const text = texts?.at(-1);
  return text === undefined ? undefined : scalarOf(name, flag, text);
}

function scalarOf(name: string, flag: Flag, text: string): string | number | boolean {
  if (flag.type === 'string' || flag.type === 'list') return checkChoice(name, flag, text);
  if (flag.type === 'boolean') {
    if (text !== 'true' && text !== 'false') throw badValue(name, flag, text);
    return text === 'true';
  }
  const value = numberOf(flag.type, text);
  if (value === undefined || value < (flag.min ?? -Infinity) || value > (flag.max ?? Infinity)) {
    throw badValue(name, flag, text);
  }
  return value;
}

function numberOf(type: 'number' | 'duration' | 'bytes', text: string): number | undefined {
  if (type === 'number') return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;
  try {
    return type === 'duration' ? parseDuration(text) : parseByteSize(text);
  } catch {
    return undefined;
  }
}

function checkChoice(name: string, flag: Flag, text: string): string {
  if (flag.choices !== undefined && !flag.choices.includes(text)) throw badValue(name, flag, text);
  return text;
}

function badValue(name: string, flag: Flag, text: string): Error {
  return new Error(`flag --${name}: got "${text}", want ${wantOf(flag)}`);
}

const wants: Readonly<Record<FlagType, string>> = {
  string: 'a text',
  number: 'a number',
  boolean: 'true or false',
  duration: 'a duration such as 30s or 1h30m',
  bytes: 'a size such as 64KB or 1GB',
  list: 'a text',
};

function wantOf(flag: Flag): string {
  if (flag.choices !== undefined) return `one of ${flag.choices.join(', ')}`;
  const unit = flag.type === 'duration' ? ' ms' : flag.type === 'bytes' ? ' bytes' : '';
  const bounds = [
    flag.min === undefined ? '' : ` of at least ${flag.min}${unit}`,
    flag.max === undefined ? '' : `${flag.min === undefined ? ' of' : ' and'} at most ${flag.max}${unit}`,
  ];
  return wants[flag.type] + bounds.join('');
}
