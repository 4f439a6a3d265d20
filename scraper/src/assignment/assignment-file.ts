// The assignment that was applied last, kept in the storage folder: a scraper that starts while no operator runs goes on
// with it. Format: docs/format/assignment.md.

import { readFile, rename } from 'node:fs/promises';
import { errorCode, type Logger, writeFileAtomic } from '@flotilla/chassis';
import { CorruptionError } from '@flotilla/model';
import { type Assignment, decodeAssignmentFile, encodeAssignmentFile } from '@flotilla/wire';

export class AssignmentFile {
  readonly #path: string;
  readonly #log: Logger;

  constructor(path: string, log: Logger) {
    this.#path = path;
    this.#log = log;
  }

  /** undefined if there is none, or if it is damaged: then it is put aside, and the operator will send another. */
  async load(): Promise<Assignment | undefined> {
    try {
      return decodeAssignmentFile(this.#path, await readFile(this.#path));
    } catch (err) {
      if (errorCode(err) === 'ENOENT') return undefined;
      if (!(err instanceof CorruptionError)) throw err;
      this.#log.error('Assignment file is damaged and was put aside', { err });
      await rename(this.#path, `${this.#path}.corrupt`);
      return undefined;
    }
  }

  async save(assignment: Assignment): Promise<void> {
    await writeFileAtomic(this.#path, encodeAssignmentFile(assignment), { mode: 0o600 });
  }
}
