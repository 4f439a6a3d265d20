import type { Response } from 'express';

/**
 * Resolves when more can be written, or the client has gone. One that takes nothing for `stallMs` is cut off: what it does not
 * take is held in memory.
 */
export async function drained(response: Response, stallMs?: number): Promise<void> {
  if (response.destroyed) return;
  await new Promise<void>((resolve) => {
    const cut = stallMs === undefined ? undefined : setTimeout(() => response.destroy(), stallMs);
    const done = (): void => {
      clearTimeout(cut);
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
  });
}
