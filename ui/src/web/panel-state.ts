// The state of the query page in its address, in Prometheus's names, so that links in alerts lead here.

import { formatRange, tryParseRange } from './format.ts';

export interface PanelState {
  readonly expr: string;
  readonly tab: 'graph' | 'table' | 'plan';
  readonly rangeMs: number;
  /** End of the graph or time of the table; 0 is now. */
  readonly endMs: number;
}

export const emptyPanel: PanelState = { expr: '', tab: 'table', rangeMs: 3_600_000, endMs: 0 };

export function parsePanel(search: string): PanelState {
  const params = new URLSearchParams(search);
  const end = Date.parse(`${params.get('g0.end_input') ?? ''}Z`);
  const tab = params.get('g0.tab') ?? '';
  return {
    expr: params.get('g0.expr') ?? '',
    tab: tab === '0' || tab === 'graph' ? 'graph' : tab === 'plan' ? 'plan' : 'table',
    rangeMs: tryParseRange(params.get('g0.range_input') ?? '') ?? emptyPanel.rangeMs,
    endMs: Number.isNaN(end) ? 0 : end,
  };
}

export function panelSearch({ expr, tab, rangeMs, endMs }: PanelState): string {
  const params = new URLSearchParams({
    'g0.expr': expr,
    'g0.tab': { graph: '0', table: '1', plan: 'plan' }[tab],
    'g0.range_input': formatRange(rangeMs),
  });
  if (endMs > 0) params.set('g0.end_input', new Date(endMs).toISOString().slice(0, 19).replace('T', ' '));
  return `?${params.toString()}`;
}
