// A job of the assignment, compiled once for all of its targets.

import { errorText } from '@flotilla/chassis';
import { parseRelabelRule, type RelabelRule } from '@flotilla/model';
import type { Job } from '@flotilla/wire';

/** Bounds that hold whatever a job allows. */
export interface ScrapeBounds {
  readonly samplesMax: number;
  readonly lineBytesMax: number;
}

export class JobSettings {
  readonly job: Job;
  readonly relabelings: readonly RelabelRule[];
  readonly samplesMax: number;
  /** Equal exactly for jobs that scrape alike. */
  readonly fingerprint: string;
  /** '' or why nothing of the job can be scraped: a relabel rule that does not compile. */
  readonly error: string;

  constructor(job: Job, { samplesMax }: ScrapeBounds) {
    this.job = job;
    this.samplesMax = job.limits.samples > 0 ? Math.min(job.limits.samples, samplesMax) : samplesMax;
    this.fingerprint = JSON.stringify(job);
    const compiled = compileRules(job);
    this.relabelings = compiled.rules;
    this.error = compiled.error;
  }
}

function compileRules({ metricRelabelings, nameValidationScheme }: Job): {
  rules: RelabelRule[];
  error: string;
} {
  const names = nameValidationScheme === 'legacy' ? 'legacy' : 'utf8';
  try {
    return { rules: metricRelabelings.map((config) => parseRelabelRule(config, names)), error: '' };
  } catch (err) {
    return { rules: [], error: `metric_relabel_configs: ${errorText(err)}` };
  }
}
