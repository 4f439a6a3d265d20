// Log lines: a constant message and key/values, as logfmt (Prometheus's look) or JSON, on stdout.
//
// Writes are synchronous, so no line is lost at exit. Values under keys that name a secret are masked.
// A field `err` may be any thrown value; it becomes one line of text with its causes.

import { pino, type DestinationStream, type Logger as PinoLogger } from 'pino';
import { errorText } from './error-text.ts';
import { logfmtLine } from './logfmt.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFields = Readonly<Record<string, unknown>>;

export interface Logger {
  /** May be set while running. Children follow their own level, copied when they are made. */
  level: LogLevel;
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds `fields` to each of its lines. */
  child(fields: LogFields): Logger;
}

export interface LoggerOptions {
  /** Written into each line as `component`. */
  readonly name: string;
  readonly level?: LogLevel;
  readonly format?: 'logfmt' | 'json';
  /** Where lines go, each with its line feed; stdout by default. */
  readonly write?: (line: string) => void;
}

export function createLogger({
  name,
  level = 'info',
  format = 'logfmt',
  write = writeStdout(),
}: LoggerOptions): Logger {
  const stream: DestinationStream = {
    write:
      format === 'json' ? write : (line) => write(logfmtLine(JSON.parse(line) as Record<string, unknown>)),
  };
  const root = pino(
    {
      level,
      base: null,
      messageKey: 'msg',
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label.toUpperCase() }) },
    },
    stream,
  );
  return wrap(root.child({ component: name }));
}

/** A pipe that its reader has closed must not take the process down. */
function writeStdout(): (line: string) => void {
  const stdout = pino.destination({ fd: 1, sync: true });
  stdout.on('error', () => undefined);
  return (line) => stdout.write(line);
}

function wrap(log: PinoLogger): Logger {
  const at =
    (level: LogLevel) =>
    (message: string, fields?: LogFields): void => {
      if (log.isLevelEnabled(level)) log[level](plain(fields), message);
    };
  return {
    get level() {
      return log.level as LogLevel;
    },
    set level(level) {
      log.level = level;
    },
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => wrap(log.child(plain(fields))),
  };
}

const secretKey = /token$|password|secret$|authorization|credential/i;

function plain(fields: LogFields = {}): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [
      key,
      secretKey.test(key) ? '<secret>' : plainValue(key, value),
    ]),
  );
}

function plainValue(key: string, value: unknown): unknown {
  if (value === undefined) return '';
  if (key === 'err' || value instanceof Error) return errorText(value);
  return typeof value === 'bigint' ? String(value) : value;
}
