// Addresses of targets' names. The system's resolver has four threads for everything, and a name server that is silent holds one for
// ten seconds and more, so that a few dead names would stall all others.
//
// A name that was found is answered from memory and renewed beside; a renewal that fails changes nothing for ten minutes. At most
// three look-ups run at a time; names that have failed wait for the others.

import { type LookupAddress, type LookupOptions, lookup as systemLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';

export type Resolve = (name: string) => Promise<readonly LookupAddress[]>;

const freshMs = 30_000;
const usableMs = 600_000;
const failedMs = 5000;
const runningMax = 3;
const namesMax = 100_000;

interface Entry {
  addresses: readonly LookupAddress[];
  foundAt: number;
  failure: Error | undefined;
  failedAt: number;
  pending: Promise<void> | undefined;
}

interface Waiting {
  readonly hasFailed: boolean;
  readonly start: () => void;
}

type Found = { readonly addresses: readonly LookupAddress[] } | { readonly failure: Error };

export class NameCache {
  readonly #resolve: Resolve;
  readonly #nowMs: () => number;
  readonly #entries = new Map<string, Entry>();
  #waiting: Waiting[] = [];
  #running = 0;

  constructor(resolve: Resolve = resolveBySystem, nowMs: () => number = () => performance.now()) {
    this.#resolve = resolve;
    this.#nowMs = nowMs;
  }

  /** For the connections of node:net. */
  readonly lookup: LookupFunction = (name, options, callback) => {
    void this.find(name, options).then((found) => {
      if ('failure' in found) return callback(found.failure, '', 0);
      const [first] = found.addresses;
      if (options.all === true) return callback(null, [...found.addresses]);
      return callback(null, first!.address, first!.family);
    });
  };

  /** Addresses of the family that is asked for, at least one. Never rejects. */
  async find(name: string, { family = 0 }: Pick<LookupOptions, 'family'> = {}): Promise<Found> {
    const entry = this.#entry(name);
    const nowMs = this.#nowMs();
    const isUsable = nowMs - entry.foundAt < usableMs;
    const hasJustFailed = entry.failure !== undefined && nowMs - entry.failedAt < failedMs;
    if (nowMs - entry.foundAt >= freshMs && !hasJustFailed) entry.pending ??= this.#renew(name, entry);
    if (!isUsable) await entry.pending;
    const wanted = family === 'IPv4' ? 4 : family === 'IPv6' ? 6 : family;
    const addresses = entry.addresses.filter((one) => wanted === 0 || one.family === wanted);
    if (addresses.length > 0) return { addresses };
    return { failure: entry.failure ?? notFound(name) };
  }

  #entry(name: string): Entry {
    const known = this.#entries.get(name);
    if (known !== undefined) return known;
    if (this.#entries.size >= namesMax) this.#entries.clear();
    const entry = { addresses: [], foundAt: -Infinity, failure: undefined, failedAt: 0, pending: undefined };
    this.#entries.set(name, entry);
    return entry;
  }

  async #renew(name: string, entry: Entry): Promise<void> {
    await this.#turn(entry.failure !== undefined);
    try {
      entry.addresses = await this.#resolve(name);
      entry.foundAt = this.#nowMs();
      entry.failure = undefined;
    } catch (error) {
      entry.failure = error as Error;
      entry.failedAt = this.#nowMs();
      if (entry.failedAt - entry.foundAt >= usableMs) entry.addresses = [];
    } finally {
      entry.pending = undefined;
      this.#running--;
      this.#next();
    }
  }

  #turn(hasFailed: boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ hasFailed, start: resolve });
      this.#next();
    });
  }

  #next(): void {
    if (this.#running >= runningMax || this.#waiting.length === 0) return;
    const hopeful = this.#waiting.findIndex(({ hasFailed }) => !hasFailed);
    const [next] = this.#waiting.splice(Math.max(0, hopeful), 1);
    this.#running++;
    next!.start();
  }
}

function resolveBySystem(name: string): Promise<LookupAddress[]> {
  return new Promise((resolve, reject) => {
    systemLookup(name, { all: true }, (error, addresses) => {
      if (error === null) resolve(addresses);
      else reject(error);
    });
  });
}

function notFound(hostname: string): Error {
  return Object.assign(new Error(`getaddrinfo ENOTFOUND ${hostname}`), { code: 'ENOTFOUND', hostname });
}
