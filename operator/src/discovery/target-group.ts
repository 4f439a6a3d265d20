import type { Labels } from '@flotilla/model';
import type { LabelMap } from './select-objects.ts';

/** Targets that come from one object or file, as discovered: `__address__` and `__meta_…` labels. */
export interface TargetGroup {
  /** `endpointslice/ns/name`, `pod/ns/name`, `static/0`, …; unique within a discovery. */
  readonly source: string;
  /** '' when it comes from no namespace. */
  readonly namespace: string;
  readonly targets: readonly Labels[];
  /** Labels of the object that monitors select by; absent where they select by none. */
  readonly selectable?: LabelMap;
}

/**
 * One whose targets are made when they are asked for, and forgotten when nobody uses them: fifty thousand pods have 300 MB of labels
 * that relabeling mostly drops.
 */
export class LazyTargetGroup implements TargetGroup {
  readonly source: string;
  readonly namespace: string;
  readonly selectable: LabelMap;
  readonly #make: () => TargetGroup;
  #targets: WeakRef<readonly Labels[]> | undefined;

  constructor(source: string, namespace: string, selectable: LabelMap, make: () => TargetGroup) {
    this.source = source;
    this.namespace = namespace;
    this.selectable = selectable;
    this.#make = make;
  }

  get targets(): readonly Labels[] {
    const known = this.#targets?.deref();
    if (known !== undefined) return known;
    const { targets } = this.#make();
    this.#targets = new WeakRef(targets);
    return targets;
  }
}
