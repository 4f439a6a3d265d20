// What a binary operator has to say: of all its pairs at one step only the last one is heard, as in Prometheus.
//
// Rows are computed in any order, so what each step has to say is kept until the query ends.

import type { Annotations } from './annotations.ts';

/** Makes one note. */
export type Note = (annotations: Annotations) => void;

export class StepNotes {
  private readonly notes = new Map<number, { readonly row: number; readonly note: Note }>();

  constructor(annotations: Annotations) {
    annotations.atEnd(() => {
      for (const { note } of this.notes.values()) note(annotations);
    });
  }

  /** Takes a note about a pair; `row` is its place among the step's pairs. */
  add(step: number, row: number, note: Note): void {
    const known = this.notes.get(step);
    if (known === undefined || known.row <= row) this.notes.set(step, { row, note });
  }
}
