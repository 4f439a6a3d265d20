// What is scraped in each case, by size.

export interface Load {
  readonly targets: number;
  /** Of each target. */
  readonly series: number;
  readonly intervalSeconds: number;
  readonly gzip: boolean;
  readonly tls: boolean;
  /** Share of the series that get new names within twelve scrapes. */
  readonly churnShare: number;
  /** Whether the series are native histograms, exposed as protobuf, and not floats. */
  readonly native: boolean;
  /** Metric relabel rules, which drop nothing. */
  readonly relabelings: number;
  /** Whether it is measured a second time, with heavy queries beside. */
  readonly queriesBeside: boolean;
}

export interface Size {
  readonly loads: Readonly<Record<string, Load>>;
  readonly warmSeconds: number;
  readonly measureSeconds: number;
  readonly rounds: number;
}

const small: Load = {
  targets: 20,
  series: 2000,
  intervalSeconds: 1,
  gzip: false,
  tls: false,
  churnShare: 0,
  native: false,
  relabelings: 0,
  queriesBeside: false,
};
const full: Load = { ...small, targets: 100, series: 10_000, intervalSeconds: 5 };

/** A case's ratio of CPU has its name in front: `Plain` becomes cpuPlain. */
export const sizes: Readonly<Record<string, Size>> = {
  small: {
    loads: {
      Plain: { ...small, queriesBeside: true },
      Gzip: { ...small, gzip: true },
      Tls: { ...small, tls: true },
    },
    warmSeconds: 2,
    measureSeconds: 4,
    rounds: 1,
  },
  full: {
    loads: {
      Plain: { ...full, queriesBeside: true },
      Gzip: { ...full, gzip: true },
      Tls: { ...full, tls: true },
      Small: { ...full, targets: 10_000, series: 100, intervalSeconds: 15 },
      Churn: { ...full, churnShare: 0.05, relabelings: 20 },
      Native: { ...full, series: 1000, native: true },
    },
    warmSeconds: 15,
    measureSeconds: 60,
    rounds: 3,
  },
};
