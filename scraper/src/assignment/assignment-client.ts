// Brings the operator's assignment into force: secrets, file, targets, in this order, then a heartbeat that says so.
// What is in force is what is in the file, and a restart begins with it.

import { errorText, type Logger } from '@flotilla/chassis';
import type { Assignment, AssignmentFrame, ShardSettings } from '@flotilla/wire';
import type { TargetSet } from '../targets/target-set.ts';
import { applyFrame, type AssignmentChange } from './apply-frame.ts';
import type { AssignmentFile } from './assignment-file.ts';
import type { SecretStore, SecretUser } from './secret-store.ts';

export interface AssignmentOptions {
  readonly file: AssignmentFile;
  readonly secrets: SecretStore;
  readonly targets: TargetSet;
  readonly shard: number;
  readonly log: Logger;
  /** Told what holds beside jobs and targets, before these are. */
  readonly applySettings?: (settings: ShardSettings) => Promise<void>;
  readonly onApplied: () => void;
}

export class AssignmentClient {
  readonly #options: AssignmentOptions;
  #current: Assignment | undefined;

  constructor(options: AssignmentOptions) {
    this.#options = options;
  }

  /** What is applied and persisted. */
  get current(): Assignment | undefined {
    return this.#current;
  }

  /** Starts scraping what was persisted, if anything was. */
  async restore(): Promise<void> {
    const { file, secrets, targets, log, applySettings } = this.#options;
    await secrets.load();
    const saved = await file.load();
    if (saved === undefined) return;
    await applySettings?.(saved.settings);
    await targets.apply(saved, new Map());
    this.#current = saved;
    log.info('Goes on with the saved assignment', { version: saved.version, targets: saved.targets.length });
    void secrets.require(usersOf(saved));
  }

  /** Takes a frame of the stream. Throws if it is not for this shard. */
  async takeFrame(frame: AssignmentFrame): Promise<'applied' | 'resync'> {
    const change = applyFrame(this.#current, frame);
    if (change === 'resync') return 'resync';
    if (change !== undefined) await this.#apply(change);
    return 'applied';
  }

  async #apply({ assignment, reasons }: AssignmentChange): Promise<void> {
    const { file, secrets, targets, shard, log, applySettings, onApplied } = this.#options;
    if (assignment.shard !== shard) {
      throw new Error(`assignment: for shard ${assignment.shard}, want ${shard}`);
    }
    await secrets.require(usersOf(assignment));
    await file.save(assignment).catch((err: unknown) => {
      // A full disk must not keep targets from moving; the file is written with the next change.
      log.error('Assignment was not saved', { reason: errorText(err) });
    });
    await applySettings?.(assignment.settings);
    await targets.apply(assignment, reasons);
    this.#current = assignment;
    log.info('Assignment applied', { version: assignment.version, targets: assignment.targets.length });
    onApplied();
  }
}

function usersOf({ jobs, settings }: Assignment): SecretUser[] {
  return [...jobs, ...settings.remoteWrite];
}
