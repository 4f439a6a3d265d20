// Exposition bodies of a size and mix like those of a Kubernetes node: container gauges and counters, histograms, constants.
// Seeded: every run and both sides get the same bytes.

export interface Bodies {
  /** One body per round; a scrape gets the next one. */
  readonly rounds: readonly Buffer[];
  /** By round: where the four digits of a generation stand, for the series that get new names now and then. */
  readonly generationsAt: readonly (readonly number[])[];
}

const bucketBounds = '0.005 0.01 0.025 0.05 0.1 0.25 0.5 1.0 2.5 5.0 10.0 +Inf'.split(' ');
/** Share of values that change from one scrape to the next, as on real nodes. */
const changingShare = 0.26;
const generation = 'generation="';

/** `churnShare` of the series get new names in the course of `roundCount` rounds, some in each. */
export function makeBodies(series: number, roundCount: number, churnShare = 0): Bodies {
  const random = seeded(7);
  const lines = seriesNames(series).map((line) =>
    random() < churnShare ? line.replace('{', `{${generation}0000",`) : line,
  );
  const values = lines.map(() => Math.floor(random() * 1e6));
  const changes = lines.map(() => random() < changingShare);
  const rounds = Array.from({ length: roundCount }, () => {
    changes.forEach((isChanging, index) => (values[index]! += isChanging ? Math.floor(random() * 100) : 0));
    return Buffer.from(`${lines.map((line, index) => `${line} ${values[index]}`).join('\n')}\n`);
  });
  return { rounds, generationsAt: rounds.map(generationsIn) };
}

/** The body of a scrape: names that churn bear their generation. Bodies without churn are not copied. */
export function bodyOf({ rounds, generationsAt }: Bodies, scrape: number): Buffer {
  const round = scrape % rounds.length;
  const body = rounds[round]!;
  const offsets = generationsAt[round]!;
  if (offsets.length === 0) return body;
  const copy = Buffer.from(body);
  offsets.forEach((at, index) => {
    const number = Math.floor((scrape + index) / rounds.length) % 10_000;
    copy.write(String(number).padStart(4, '0'), at, 'latin1');
  });
  return copy;
}

function generationsIn(body: Buffer): number[] {
  const offsets: number[] = [];
  for (let at = body.indexOf(generation); at >= 0; at = body.indexOf(generation, at + 1)) {
    offsets.push(at + generation.length);
  }
  return offsets;
}

function seriesNames(count: number): string[] {
  const names: string[] = [];
  for (let index = 0; names.length < count; index++) {
    const pod = `namespace="team-${index % 7}",pod="web-${index.toString(36)}-x7f9c"`;
    names.push(`container_cpu_usage_seconds_total{container="app",cpu="total",${pod}}`);
    names.push(
      `container_memory_working_set_bytes{container="app",id="/kubepods/burstable/pod${index}",${pod}}`,
    );
    names.push(`kube_pod_status_phase{phase="Running",uid="5e1f${index}",${pod}}`);
    for (const le of bucketBounds)
      names.push(
        `http_request_duration_seconds_bucket{code="200",handler="/api/${index % 5}",le="${le}",${pod}}`,
      );
    names.push(`http_request_duration_seconds_sum{code="200",handler="/api/${index % 5}",${pod}}`);
    names.push(`http_request_duration_seconds_count{code="200",handler="/api/${index % 5}",${pod}}`);
  }
  return names.slice(0, count);
}

/** A linear congruential generator in [0, 1). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
}
