// File and HTTP discovery: documents of targets, re-read when they change or when their time has come.
// A document that cannot be read keeps its last good targets.

import { errorText, watchFile } from '@flotilla/chassis';
import type { Logger } from '@flotilla/chassis';
import type { JobAuth } from '@flotilla/wire';
import { globSync, readFileSync } from 'node:fs';
import { parseTargetDocument, staticTargets } from './target-document.ts';
import type { DnsSdSpec } from '../objects/monitoring-schema.ts';
import type { ObjectSource } from '../objects/object-source.ts';
import { resolveName } from './dns-targets.ts';
import { fetchDocument } from './fetch-document.ts';
import type { TargetGroup } from './target-group.ts';

const dnsRefreshMs = 30_000;
const httpRefreshMs = 60_000;
const fileRefreshMs = 30_000;

interface Feed {
  groups: readonly TargetGroup[];
  /** False until it was read once, well or not. */
  isTried: boolean;
  readonly stop: () => void;
}

export class TargetFeeds {
  readonly #log: Logger;
  readonly #onChange: () => void;
  readonly #feeds = new Map<string, Feed>();
  /** Feeds that were asked for since the last sweep(). */
  #wanted = new Set<string>();

  constructor(log: Logger, onChange: () => void) {
    this.#log = log;
    this.#onChange = onChange;
  }

  /** Whether every feed has been tried: before that, its targets are unknown, not gone. */
  get isTried(): boolean {
    return [...this.#feeds.values()].every((feed) => feed.isTried);
  }

  files(patterns: readonly string[]): () => readonly TargetGroup[] {
    const feeds = patterns.map((pattern) =>
      this.#feed(`file ${pattern}`, (feed) => this.#watchPattern(pattern, feed)),
    );
    return () => feeds.flatMap(({ groups }) => groups);
  }

  /** Secrets are read anew for each request. */
  http(
    url: string,
    refreshMs: number | undefined,
    auth: JobAuth,
    source: ObjectSource,
  ): () => readonly TargetGroup[] {
    const periodMs = refreshMs || httpRefreshMs;
    const get = (signal: AbortSignal): Promise<string> => fetchDocument(url, auth, source, signal);
    const feed = this.#feed(`http ${periodMs} ${url} ${JSON.stringify(auth)}`, (made) =>
      this.#poll(url, get, periodMs, made),
    );
    return () => feed.groups;
  }

  dns(spec: DnsSdSpec): () => readonly TargetGroup[] {
    const { refreshInterval = dnsRefreshMs } = spec;
    const feed = this.#feed(`dns ${JSON.stringify(spec)}`, (made) =>
      this.#resolve(spec, refreshInterval, made),
    );
    return () => feed.groups;
  }

  /** Stops the feeds that nobody has asked for since the last sweep. */
  sweep(): void {
    for (const [key, feed] of this.#feeds) {
      if (this.#wanted.has(key)) continue;
      feed.stop();
      this.#feeds.delete(key);
    }
    this.#wanted = new Set();
  }

  stop(): void {
    for (const { stop } of this.#feeds.values()) stop();
    this.#feeds.clear();
  }

  #feed(key: string, start: (feed: () => Feed) => () => void): Feed {
    this.#wanted.add(key);
    const known = this.#feeds.get(key);
    if (known !== undefined) return known;
    let feed: Feed | undefined;
    const stop = start(() => feed!);
    feed = { groups: [], isTried: false, stop };
    this.#feeds.set(key, feed);
    return feed;
  }

  #watchPattern(pattern: string, feed: () => Feed): () => void {
    let stops: (() => void)[] = [];
    const read = (): void => {
      for (const stop of stops) stop();
      const paths = globSync(pattern).toSorted();
      stops = paths.map((path) => watchFile(path, read));
      this.#set(
        feed(),
        paths.flatMap((path) => this.#readFile(path, feed().groups)),
      );
    };
    const timer = setInterval(read, fileRefreshMs);
    setImmediate(read);
    return () => {
      clearInterval(timer);
      for (const stop of stops) stop();
    };
  }

  #readFile(path: string, before: readonly TargetGroup[]): TargetGroup[] {
    try {
      return staticTargets(path, parseTargetDocument(readFileSync(path, 'utf8')), { __meta_filepath: path });
    } catch (error) {
      this.#log.warn('file discovery: not readable, keeping its last targets', {
        path,
        err: errorText(error),
      });
      return before.filter(({ source }) => source.startsWith(`${path}:`));
    }
  }

  #poll(
    url: string,
    get: (signal: AbortSignal) => Promise<string>,
    refreshMs: number,
    feed: () => Feed,
  ): () => void {
    let timer: NodeJS.Timeout | undefined;
    const stopping = new AbortController();
    const refresh = async (): Promise<void> => {
      try {
        const text = await get(stopping.signal);
        this.#set(feed(), staticTargets(url, parseTargetDocument(text), { __meta_url: url }));
      } catch (error) {
        if (stopping.signal.aborted) return;
        this.#log.warn('http discovery: failed, keeping its last targets', { url, err: errorText(error) });
        this.#set(feed(), feed().groups);
      }
      timer = setTimeout(() => void refresh(), refreshMs);
    };
    timer = setTimeout(() => void refresh(), 0);
    return () => {
      clearTimeout(timer);
      stopping.abort();
    };
  }

  /** A name that cannot be resolved keeps its last targets. */
  #resolve(spec: DnsSdSpec, refreshMs: number, feed: () => Feed): () => void {
    const known = new Map<string, readonly TargetGroup[]>();
    let timer: NodeJS.Timeout | undefined;
    let isStopped = false;
    const refresh = async (): Promise<void> => {
      const found = await Promise.all(spec.names.map((name) => this.#lookUp(name, spec)));
      for (const [index, groups] of found.entries()) {
        if (groups !== undefined) known.set(spec.names[index]!, groups);
      }
      if (isStopped) return;
      this.#set(
        feed(),
        spec.names.flatMap((name) => known.get(name) ?? []),
      );
      timer = setTimeout(() => void refresh(), refreshMs);
    };
    timer = setTimeout(() => void refresh(), 0);
    return () => {
      isStopped = true;
      clearTimeout(timer);
    };
  }

  async #lookUp(name: string, spec: DnsSdSpec): Promise<readonly TargetGroup[] | undefined> {
    try {
      return staticTargets(`dns ${name}`, await resolveName(name, spec));
    } catch (error) {
      this.#log.warn('dns discovery: failed, keeping its last targets', { name, err: errorText(error) });
      return undefined;
    }
  }

  #set(feed: Feed, groups: readonly TargetGroup[]): void {
    const changed = !feed.isTried || JSON.stringify(groups) !== JSON.stringify(feed.groups);
    feed.isTried = true;
    if (!changed) return;
    feed.groups = groups;
    this.#onChange();
  }
}
