// Who reads a head over several turns of the event loop, and what a cut means to them.
//
// A cut takes chunks and series out that a block has then. A reader does not know that block, so the cut waits for the
// readers that there are, up to a limit; a reader that takes longer fails instead of leaving something out unseen.

import { Unavailable } from '@flotilla/model';
import { nextTurn } from '../turns.ts';

export class HeadReaders {
  private open = 0;
  private cuts = 0;
  private whenNone: (() => void) | undefined;

  /** Starts a read, which must end. */
  begin(): HeadRead {
    this.open++;
    const cuts = this.cuts;
    return new HeadRead(
      () => this.cuts !== cuts,
      () => this.ended(),
    );
  }

  private ended(): void {
    if (--this.open === 0) this.whenNone?.();
  }

  /** Resolves when nobody reads, or it has waited so long, or is stopped. */
  async none(waitMsMax: number, stop: AbortSignal): Promise<void> {
    if (this.open === 0 || stop.aborted) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        stop.removeEventListener('abort', done);
        this.whenNone = undefined;
        resolve();
      };
      const timer = setTimeout(done, waitMsMax);
      stop.addEventListener('abort', done, { once: true });
      this.whenNone = done;
    });
  }

  /** The head has been cut: chunks and series are gone. */
  cut(): void {
    this.cuts++;
  }
}

export class HeadRead {
  private readonly isCut: () => boolean;
  private readonly onEnd: () => void;
  private isOver = false;

  constructor(isCut: () => boolean, onEnd: () => void) {
    this.isCut = isCut;
    this.onEnd = onEnd;
  }

  /** Lets others work. Throws Unavailable if the head was cut since the read began. */
  readonly turn = async (): Promise<void> => {
    await nextTurn();
    this.check();
  };

  check(): void {
    if (this.isCut()) throw new Unavailable('select: the head was cut while it was read');
  }

  end(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.onEnd();
  }
}
