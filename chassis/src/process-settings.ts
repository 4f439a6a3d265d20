// How a process of ours wants Node and glibc set before it starts: the same under the operator, `flotilla up` and benches.

export interface ProcessSettings {
  readonly nodeFlags: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * Flags of Node: registering series, and reading them, fills a large nursery with garbage, whose pages V8 keeps: 110 MB.
 *
 * Environment of glibc: arrays that grow to megabytes get memory of their own, however large those were that are freed; else
 * their predecessors leave holes, 50 MB at a million series. A querier's are columns and results; what compilers leave in
 * one arena of theirs would be holes for good: 5 MB.
 */
const settings: Readonly<Partial<Record<string, ProcessSettings>>> = {
  scraper: {
    nodeFlags: ['--max-semi-space-size=8'],
    environment: { MALLOC_MMAP_THRESHOLD_: '262144', MALLOC_ARENA_MAX: '2' },
  },
  querier: {
    nodeFlags: ['--max-semi-space-size=4'],
    environment: { MALLOC_MMAP_THRESHOLD_: '262144', MALLOC_ARENA_MAX: '1' },
  },
};
const none: ProcessSettings = { nodeFlags: [], environment: {} };

/** Of a binary by its name; empty for those that need none. */
export function processSettings(binary: string): ProcessSettings {
  return settings[binary] ?? none;
}
