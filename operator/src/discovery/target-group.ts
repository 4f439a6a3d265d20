import type { Labels } from '@flotilla/model';

/** Targets that come from one object or file, as discovered: `__address__` and `__meta_…` labels. */
export interface TargetGroup {
  /** `endpointslice/ns/name`, `pod/ns/name`, `static/0`, …; unique within a discovery. */
  readonly source: string;
  /** '' when it comes from no namespace. */
  readonly namespace: string;
  readonly targets: readonly Labels[];
}
