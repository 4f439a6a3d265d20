// Targets: by scrape pool, each with its owner and how both replicas fare, and why it is what it is.

import { useState } from 'preact/hooks';
import { ago } from './format.ts';
import { Badge, Labels, Loaded } from './parts.tsx';
import { useApi } from './use-api.ts';

interface Target {
  readonly scrapePool: string;
  readonly scrapeUrl: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly health: string;
  readonly shard: number;
  readonly slot: number;
  readonly replicas: readonly Replica[];
}

interface Replica {
  readonly replica: number;
  readonly health: string;
  readonly lastError: string;
  readonly lastScrape: string;
  readonly lastScrapeDuration: number;
}

export function TargetsPage() {
  const [filter, setFilter] = useState('');
  const [why, setWhy] = useState('');
  const resource = useApi<{ readonly activeTargets: readonly Target[] }>(
    'targets?state=active&discovered=false',
    5000,
  );
  const matches = (target: Target): boolean =>
    JSON.stringify([target.labels, target.scrapeUrl, target.health]).includes(filter);
  return (
    <section aria-label="Targets">
      <div class="row">
        <input
          type="search"
          placeholder="Filter"
          aria-label="Filter"
          value={filter}
          onInput={({ currentTarget }) => setFilter(currentTarget.value)}
        />
      </div>
      {why !== '' && <Why query={why} onClose={() => setWhy('')} />}
      <Loaded resource={resource}>
        {({ activeTargets }) =>
          Object.entries(Object.groupBy(activeTargets.filter(matches), ({ scrapePool }) => scrapePool)).map(
            ([pool, targets = []]) => <Pool key={pool} pool={pool} targets={targets} onWhy={setWhy} />,
          )
        }
      </Loaded>
    </section>
  );
}

function Pool({
  pool,
  targets,
  onWhy,
}: {
  readonly pool: string;
  readonly targets: readonly Target[];
  readonly onWhy: (query: string) => void;
}) {
  const up = targets.filter(({ health }) => health === 'up').length;
  return (
    <details open>
      <summary>
        {pool} <Badge state={up === targets.length ? 'up' : 'down'}>{`${up} of ${targets.length} up`}</Badge>
      </summary>
      <table>
        <thead>
          <tr>
            <th>Target</th>
            <th>Labels</th>
            <th>Shard</th>
            <th>Replicas</th>
          </tr>
        </thead>
        <tbody>
          {targets.map((target) => (
            <tr key={`${target.scrapeUrl} ${target.shard} ${JSON.stringify(target.labels)}`}>
              <td data-title="Target">
                <a href={target.scrapeUrl}>{target.scrapeUrl}</a>{' '}
                <button onClick={() => onWhy(target.scrapeUrl)}>Why?</button>
              </td>
              <td data-title="Labels">
                <Labels labels={target.labels} />
              </td>
              <td data-title="Shard">
                {target.shard}{' '}
                <span class="quiet">{target.slot < 0 ? 'every shard' : `slot ${target.slot}`}</span>
              </td>
              <td data-title="Replicas">
                {target.replicas.map((replica) => (
                  <ReplicaLine key={replica.replica} replica={replica} />
                ))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}

function ReplicaLine({ replica }: { readonly replica: Replica }) {
  return (
    <div>
      {replica.replica} <Badge state={replica.health} />{' '}
      <span class="quiet">
        {ago(Date.parse(replica.lastScrape), Date.now())}, {(replica.lastScrapeDuration * 1000).toFixed(1)} ms
      </span>
      {replica.lastError !== '' && <div class="error">{replica.lastError}</div>}
    </div>
  );
}

interface Explanation {
  readonly matches: readonly {
    readonly object: {
      readonly kind: string;
      readonly namespace: string;
      readonly name: string;
      readonly file?: string;
    };
    readonly steps: readonly { readonly rule: number; readonly text: string }[];
    readonly dropped?: { readonly rule: number; readonly text: string };
    readonly target?: {
      readonly url: string;
      readonly slot: number;
      readonly shard: number;
      readonly key: string;
    };
  }[];
}

function Why({ query, onClose }: { readonly query: string; readonly onClose: () => void }) {
  const resource = useApi<Explanation>(`explain?${new URLSearchParams({ q: query })}`, 0);
  return (
    <aside class="panel">
      <button class="close" aria-label="Close" onClick={onClose}>
        ×
      </button>
      <Loaded resource={resource}>
        {({ matches }) =>
          matches.map(({ object, steps, dropped, target }) => (
            <div key={JSON.stringify([object, target])}>
              <p>
                Found by {object.kind} {object.namespace}/{object.name}{' '}
                <span class="quiet">{object.file}</span>
              </p>
              <ol>
                {steps.map(({ rule, text }) => (
                  <li key={rule} value={rule}>
                    {text}
                  </li>
                ))}
              </ol>
              {dropped !== undefined && (
                <p class="error">
                  Dropped by rule {dropped.rule}: {dropped.text}
                </p>
              )}
              {target !== undefined && (
                <p>
                  Shard {target.shard}, slot {target.slot}, key {target.key}
                </p>
              )}
            </div>
          ))
        }
      </Loaded>
    </aside>
  );
}
