// The frame of a daemon: flags, logger and metrics ready, signals turned into an orderly shutdown.
//
// Exit codes: 0 after a shutdown that was asked for, 1 when something failed or took longer than 10 s, 2 for bad flags.
// An unhandled error is a bug: it is logged and the process exits, so that its supervisor starts it anew.

import type { Registry } from 'prom-client';
import { parseFlags } from './flags.ts';
import type { Flag, FlagSpec, FlagValues } from './flag-spec.ts';
import { createLogger, type Logger } from './logger.ts';
import { createMetrics } from './metrics.ts';
import type { StandardConfig } from './standard-flags.ts';
import { ShutdownHooks, type ShutdownHook } from './shutdown-hooks.ts';
import { ProgramExit } from './usage.ts';

const shutdownMaxMs = 10_000;

/** All standard flags, with whatever defaults the binary gives them. */
type StandardSpec = Readonly<Record<keyof StandardConfig, Flag>>;

export interface MainContext<S extends FlagSpec> {
  readonly config: FlagValues<S>;
  readonly log: Logger;
  readonly metrics: Registry;
  /** Aborts when the shutdown begins, before the first hook runs. */
  readonly stopping: AbortSignal;
  /** `stop` runs at shutdown, after those that were added later. It has `deadlineMs` (5000), then the next one's turn comes. */
  readonly onShutdown: (label: string, stop: ShutdownHook, deadlineMs?: number) => void;
  /** Asks for a shutdown, as a signal does. */
  readonly shutdown: (reason: string) => void;
}

/**
 * Runs `main`, and after it returns keeps the process up until SIGTERM, SIGINT, the end of the parent
 * (--process.exit-with-parent) or shutdown(). Never returns to a caller that has work left: it exits the process.
 */
export async function runMain<const S extends FlagSpec & StandardSpec>(
  name: string,
  spec: S,
  main: (context: MainContext<S>) => Promise<void>,
  argv: readonly string[] = process.argv.slice(2),
): Promise<void> {
  const config = parseOrExit(name, spec, argv);
  const standard = config as StandardConfig;
  const log = createLogger({ name, level: standard['log.level'], format: standard['log.format'] });
  const daemon = new Daemon(log);
  daemon.install(standard['process.exit-with-parent']);
  try {
    await main({
      config,
      log,
      metrics: createMetrics(name),
      stopping: daemon.stopping,
      onShutdown: (label, stop, deadlineMs) => daemon.hooks.add(label, stop, deadlineMs),
      shutdown: (reason) => daemon.stop(reason, 0),
    });
  } catch (err) {
    daemon.failedToStart(err);
  }
}

function parseOrExit<const S extends FlagSpec>(
  name: string,
  spec: S,
  argv: readonly string[],
): FlagValues<S> {
  try {
    return parseFlags(spec, argv, name);
  } catch (err) {
    if (err instanceof ProgramExit) exitWith(err);
    throw err;
  }
}

function exitWith(exit: ProgramExit): never {
  (exit.exitCode === 0 ? process.stdout : process.stderr).write(exit.message);
  process.exit(exit.exitCode);
}

class Daemon {
  readonly hooks: ShutdownHooks;
  readonly #log: Logger;
  readonly #stopping = new AbortController();

  constructor(log: Logger) {
    this.#log = log;
    this.hooks = new ShutdownHooks(log);
  }

  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  install(exitWithParent: boolean): void {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => this.#onSignal(signal));
    for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
      process.on(event, (err: unknown) => {
        this.#log.error('Unhandled error', { err, stack: stackOf(err) });
        process.exit(1);
      });
    }
    if (exitWithParent) this.#watchParent();
  }

  failedToStart(err: unknown): void {
    if (err instanceof ProgramExit) exitWith(err);
    if (this.stopping.aborted) return; // Starting was cut short by the shutdown.
    this.#log.error('Failed to start', { err });
    this.stop('failed to start', 1);
  }

  stop(reason: string, exitCode: number): void {
    if (this.stopping.aborted) return;
    this.#log.info('Shutting down', { reason });
    setTimeout(() => {
      this.#log.error('Shutdown took too long', { limit: `${shutdownMaxMs}ms` });
      process.exit(1);
    }, shutdownMaxMs);
    this.#stopping.abort(new Error(`shutting down: ${reason}`));
    void this.hooks.run().then((isClean) => {
      this.#log.info('See you next time!');
      process.exit(isClean ? exitCode : 1);
    });
  }

  #onSignal(signal: string): void {
    if (this.stopping.aborted) {
      this.#log.warn('Second signal, exiting at once', { signal });
      process.exit(1);
    }
    this.stop(signal, 0);
  }

  /** The parent holds the other end of stdin and writes nothing: it ends when the parent does. */
  #watchParent(): void {
    const gone = (): void => this.stop('parent is gone', 0);
    process.stdin.once('end', gone).once('close', gone).once('error', gone).resume();
  }
}

function stackOf(err: unknown): string {
  return typeof err === 'object' && err !== null && 'stack' in err ? String(err.stack) : '';
}
