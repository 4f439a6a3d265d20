// Query: editor, table, graph and plan. Its state is in the address.

import { useEffect, useState } from 'preact/hooks';
import { getApi } from './api.ts';
import type { Answer, Completeness } from './api.ts';
import { Editor } from './editor.tsx';
import { formatMetric, formatRange, stepFor, tryParseRange } from './format.ts';
import type { RangeSeries } from './format.ts';
import { Graph } from './graph.tsx';
import { panelSearch, parsePanel } from './panel-state.ts';
import type { PanelState } from './panel-state.ts';
import { PlanTable } from './plan-table.tsx';
import type { Plan } from './plan-table.tsx';
import { basePath } from './base-path.ts';

interface QueryData {
  readonly resultType: string;
  readonly result: unknown;
  readonly stats?: { readonly plan?: Plan };
}

const tabNames = { table: 'Table', graph: 'Graph', plan: 'Plan' } as const;

interface Shown {
  readonly answer: Answer<QueryData>;
  readonly tab: PanelState['tab'];
  readonly endSeconds: number;
  readonly rangeSeconds: number;
  readonly stepSeconds: number;
}

export function QueryPage() {
  const [panel, setPanel] = useState(() => parsePanel(location.search));
  const [shown, setShown] = useState<Shown>();
  const [error, setError] = useState('');
  const [isBusy, setBusy] = useState(false);

  const run = async (next: PanelState): Promise<void> => {
    setPanel(next);
    if (next.expr.trim() === '') return;
    history.replaceState(null, '', `${basePath}/query${panelSearch(next)}`);
    setBusy(true);
    try {
      setShown(await load(next));
      setError('');
    } catch (cause) {
      setError(cause instanceof Error ? cause.message : String(cause));
    }
    setBusy(false);
  };
  useEffect(() => void run(panel), []);
  const zoom = (startSeconds: number, endSeconds: number): void =>
    void run({
      ...panel,
      endMs: endSeconds * 1000,
      rangeMs: Math.max(1000, (endSeconds - startSeconds) * 1000),
    });

  return (
    <section aria-label="Query">
      <div class="row">
        <Editor
          expr={panel.expr}
          onChange={(expr) => setPanel((now) => ({ ...now, expr }))}
          onRun={() => void run(panel)}
        />
        <button class="primary" data-testid="run-button" onClick={() => void run(panel)}>
          Run
        </button>
      </div>
      <div class="row tabs" role="tablist">
        {(['table', 'graph', 'plan'] as const).map((tab) => (
          <button
            key={tab}
            role="tab"
            aria-selected={panel.tab === tab}
            data-testid={`tab-${tab}`}
            onClick={() => void run({ ...panel, tab })}
          >
            {tabNames[tab]}
          </button>
        ))}
        {panel.tab !== 'table' && <RangeControls panel={panel} onChange={(next) => void run(next)} />}
        <span class="spacer" />
        {isBusy && <span class="quiet">Running…</span>}
        {shown !== undefined && <Summary answer={shown.answer} />}
      </div>
      {error !== '' && (
        <p class="note bad" role="alert">
          {error}
        </p>
      )}
      {shown !== undefined && error === '' && <Result shown={shown} onZoom={zoom} />}
    </section>
  );
}

async function load({ expr, tab, rangeMs, endMs }: PanelState): Promise<Shown> {
  const endSeconds = (endMs || Date.now()) / 1000;
  const [rangeSeconds, stepSeconds] = [rangeMs / 1000, stepFor(rangeMs)];
  if (tab === 'table') {
    const answer = await getApi<QueryData>('query', {
      query: expr,
      ...(endMs > 0 && { time: `${endSeconds}` }),
    });
    return { answer, tab, endSeconds, rangeSeconds, stepSeconds };
  }
  const end = Math.floor(endSeconds / stepSeconds) * stepSeconds;
  const start = end - Math.floor(rangeSeconds / stepSeconds) * stepSeconds;
  const isPlan = tab === 'plan';
  const answer = await getApi<QueryData>(isPlan ? 'explain_query' : 'query_range', {
    ...(isPlan && { analyze: 'true' }),
    query: expr,
    start: `${start}`,
    end: `${end}`,
    step: `${stepSeconds}`,
  });
  return { answer, tab, endSeconds: end, rangeSeconds: end - start, stepSeconds };
}

function RangeControls({
  panel,
  onChange,
}: {
  readonly panel: PanelState;
  readonly onChange: (panel: PanelState) => void;
}) {
  const scale = (factor: number): void =>
    onChange({ ...panel, rangeMs: Math.max(1000, panel.rangeMs * factor) });
  const shift = (direction: number): void => {
    const endMs = (panel.endMs || Date.now()) + (direction * panel.rangeMs) / 2;
    onChange({ ...panel, endMs: endMs >= Date.now() ? 0 : endMs });
  };
  return (
    <span class="controls">
      <button aria-label="Shorter range" onClick={() => scale(0.5)}>
        −
      </button>
      <input
        aria-label="Range"
        value={formatRange(panel.rangeMs)}
        onChange={({ currentTarget }) =>
          onChange({ ...panel, rangeMs: tryParseRange(currentTarget.value) ?? panel.rangeMs })
        }
      />
      <button aria-label="Longer range" onClick={() => scale(2)}>
        +
      </button>
      <button aria-label="Earlier" onClick={() => shift(-1)}>
        ‹
      </button>
      <button aria-label="Later" onClick={() => shift(1)}>
        ›
      </button>
      {panel.endMs > 0 && <button onClick={() => onChange({ ...panel, endMs: 0 })}>Now</button>}
    </span>
  );
}

function Summary({ answer }: { readonly answer: Answer<QueryData> }) {
  const { data, tookMs, completeness } = answer;
  const count =
    Array.isArray(data.result) && data.resultType !== 'scalar' && data.resultType !== 'string'
      ? data.result.length
      : 1;
  return (
    <span class="quiet">
      {count} series · {Math.round(tookMs)} ms{' '}
      {completeness !== undefined && <CompletenessBadge completeness={completeness} />}
    </span>
  );
}

function CompletenessBadge({
  completeness: { heard, expected, shards },
}: {
  readonly completeness: Completeness;
}) {
  const missing = shards.filter(({ state }) => state === 'none').map(({ shard }) => shard);
  const lonely = shards.some(({ state }) => state === 'one');
  const tone = missing.length > 0 ? 'bad' : lonely ? 'warn' : 'good';
  return (
    <span class={`badge ${tone}`} data-testid="completeness">
      {heard} of {expected} shards{missing.length > 0 && `, missing ${missing.join(', ')}`}
    </span>
  );
}

function Result({
  shown,
  onZoom,
}: {
  readonly shown: Shown;
  readonly onZoom: (start: number, end: number) => void;
}) {
  const { answer, tab, endSeconds, rangeSeconds, stepSeconds } = shown;
  const { resultType, result, stats } = answer.data;
  if (tab === 'plan') return <PlanTable plan={stats?.plan} />;
  return (
    <>
      {[...answer.warnings, ...answer.infos].map((text) => (
        <p key={text} class="note warn">
          {text}
        </p>
      ))}
      {tab === 'graph' && resultType === 'matrix' ? (
        <Graph
          series={result as RangeSeries[]}
          startSeconds={endSeconds - rangeSeconds}
          endSeconds={endSeconds}
          stepSeconds={stepSeconds}
          onZoom={onZoom}
        />
      ) : (
        <ResultTable resultType={resultType} result={result} />
      )}
    </>
  );
}

const rowsMax = 1000;

function ResultTable({ resultType, result }: QueryData) {
  if (resultType === 'scalar' || resultType === 'string')
    return <p class="value">{(result as [number, string])[1]}</p>;
  const rows = result as readonly {
    metric: Record<string, string>;
    value?: [number, string];
    values?: [number, string][];
  }[];
  if (rows.length === 0) return <p class="quiet">No data.</p>;
  return (
    <>
      <table data-testid="result-table">
        <tbody>
          {rows.slice(0, rowsMax).map(({ metric, value, values }) => (
            <tr key={formatMetric(metric)}>
              <td class="metric">{formatMetric(metric)}</td>
              <td class="value">
                {value?.[1] ?? values?.map(([time, text]) => <div key={time}>{`${text} @${time}`}</div>)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > rowsMax && (
        <p class="quiet">
          The first {rowsMax} of {rows.length}.
        </p>
      )}
    </>
  );
}
