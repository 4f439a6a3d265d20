// Fleet: shards and their replicas, epochs, conditions, what was refused, what happened.

import { ago } from './format.ts';
import { CardinalityPanel } from './cardinality.tsx';
import { Badge, Loaded } from './parts.tsx';
import { useApi } from './use-api.ts';

interface Fleet {
  readonly topology: {
    readonly fleet: string;
    readonly epochs: readonly { readonly id: number; readonly sinceMs: number; readonly shards: number }[];
    readonly stores: readonly { readonly name: string }[];
  };
  readonly operator?: OperatorStatus;
  readonly operatorError?: string;
  readonly stores: readonly StoreReport[];
}

interface OperatorStatus {
  readonly conditions: readonly {
    readonly type: string;
    readonly status: string;
    readonly reason: string;
    readonly message: string;
  }[];
  readonly shards: readonly { readonly shard: number; readonly state: string; readonly assigned: number }[];
  readonly resize: { readonly phase: string; readonly waitingFor: string };
  readonly refused: readonly {
    readonly file: string;
    readonly line: number;
    readonly kind: string;
    readonly name: string;
    readonly reason: string;
  }[];
  readonly events: readonly {
    readonly timeMs: number;
    readonly reason: string;
    readonly object: string;
    readonly message: string;
  }[];
}

interface StoreReport {
  readonly store: {
    readonly name: string;
    readonly kind: string;
    readonly shard: number;
    readonly replica: number;
    readonly url: string;
  };
  readonly status?: {
    readonly state: string;
    readonly headStats: { readonly numSeries: number };
    readonly blocks: number;
    readonly corruptions: readonly string[];
  };
  readonly error?: string;
}

export function FleetPage() {
  const resource = useApi<Fleet>('fleet', 5000);
  return (
    <section aria-label="Fleet">
      <Loaded resource={resource}>
        {({ topology, operator, operatorError, stores }) => (
          <>
            {operatorError !== undefined && (
              <p class="note warn">The operator does not answer: {operatorError}</p>
            )}
            {operator !== undefined && <Conditions operator={operator} />}
            <Stores stores={stores} operator={operator} />
            <Epochs epochs={topology.epochs} />
            {operator !== undefined && <Refused refused={operator.refused} />}
            {operator !== undefined && <Events events={operator.events} />}
          </>
        )}
      </Loaded>
      <CardinalityPanel />
    </section>
  );
}

function Conditions({ operator: { conditions, resize } }: { readonly operator: OperatorStatus }) {
  const isGood = (type: string, status: string): boolean =>
    (status === 'True') === !['Resizing', 'Degraded'].includes(type);
  return (
    <p class="row">
      {conditions.map(({ type, status, reason, message }) => (
        <span key={type} title={message} class={`badge ${isGood(type, status) ? 'good' : 'warn'}`}>
          {type} {status} <small>{reason}</small>
        </span>
      ))}
      {resize.phase !== 'stable' && (
        <span class="quiet">waiting for {resize.waitingFor || 'the next step'}</span>
      )}
    </p>
  );
}

function Stores({
  stores,
  operator,
}: {
  readonly stores: readonly StoreReport[];
  readonly operator: OperatorStatus | undefined;
}) {
  return (
    <table>
      <thead>
        <tr>
          <th>Store</th>
          <th>State</th>
          <th>Targets</th>
          <th>Series</th>
          <th>Blocks</th>
        </tr>
      </thead>
      <tbody>
        {stores.map(({ store, status, error }) => (
          <tr key={store.name}>
            <td data-title="Store">{store.name}</td>
            <td data-title="State">
              <Badge state={error === undefined ? (status?.state ?? 'unknown') : 'down'} />
              {error !== undefined && <div class="error">{error}</div>}
              {status?.corruptions.map((text) => (
                <div key={text} class="error">
                  {text}
                </div>
              ))}
            </td>
            <td data-title="Targets">
              {store.kind === 'scraper'
                ? (operator?.shards.find(({ shard }) => shard === store.shard)?.assigned ?? '–')
                : '–'}
            </td>
            <td data-title="Series">{status?.headStats.numSeries.toLocaleString() ?? '–'}</td>
            <td data-title="Blocks">{status?.blocks ?? '–'}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Epochs({ epochs }: { readonly epochs: Fleet['topology']['epochs'] }) {
  return (
    <>
      <h2>Epochs</h2>
      <ol class="epochs">
        {epochs.map(({ id, sinceMs, shards }) => (
          <li key={id} value={id}>
            {shards} shards <span class="quiet">since {new Date(sinceMs).toLocaleString()}</span>
          </li>
        ))}
      </ol>
    </>
  );
}

function Refused({ refused }: { readonly refused: OperatorStatus['refused'] }) {
  if (refused.length === 0) return null;
  return (
    <>
      <h2>Refused manifests</h2>
      {refused.map(({ file, line, kind, name, reason }) => (
        <p key={`${file}:${line} ${reason}`} class="note bad">
          <b>
            {kind} {name}
          </b>{' '}
          {file}
          {line > 0 && `:${line}`}: {reason}
        </p>
      ))}
    </>
  );
}

function Events({ events }: { readonly events: OperatorStatus['events'] }) {
  return (
    <>
      <h2>Events</h2>
      {events.length === 0 && <p class="quiet">None yet.</p>}
      <ul class="events">
        {events.slice(0, 50).map(({ timeMs, reason, object, message }) => (
          <li key={`${timeMs}${message}`}>
            <span class="quiet">{ago(timeMs, Date.now())}</span> <b>{reason}</b> {object}: {message}
          </li>
        ))}
      </ul>
    </>
  );
}
