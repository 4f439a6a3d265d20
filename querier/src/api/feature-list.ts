// /api/v1/features: what this server can do, by Prometheus's names, for clients that ask before they use it.

import { functionTable } from '@flotilla/promql';
import type { QueryFeatures } from './query-features.ts';

type Flags = Readonly<Record<string, boolean>>;

const operators = [
  '!= !~ % * + - / < </ <= == =~ > >/ >= @ ^ and atan2 or unless',
  'avg bottomk count count_values group max min quantile stddev stdvar sum topk',
].flatMap((names) => names.split(' '));
const words =
  'at_modifier bool by duration_expr group_left group_right ignoring negative_offset offset on'.split(' ');

/** By category, then by name. */
export function featureList({ parser, engine, hasSearch }: QueryFeatures): Readonly<Record<string, Flags>> {
  const experimental = parser.experimentalFunctions === true;
  const extended = parser.extendedRangeSelectors === true;
  const fill = parser.binopFillModifiers === true;
  return {
    api: {
      ...all(['exclude_alerts', 'label_values_match', 'query_stats', 'query_warnings'], true),
      ...all(['search_fuzz_alg_jarowinkler', 'search_fuzz_alg_subsequence'], true),
      ...all(['openapi_3.1', 'time_range_labels', 'time_range_series'], true),
      ...all(['admin', 'lifecycle', 'openapi_3.2', 'otlp_write_receiver', 'remote_write_receiver'], false),
      search: hasSearch,
    },
    prometheus: { agent_mode: false, auto_reload_config: true, server_mode: true },
    promql: sorted({
      ...all(words, true),
      ...all(['per_query_lookback_delta', 'subqueries', 'without'], true),
      ...all(['anchored', 'smoothed'], extended),
      ...all(['fill', 'fill_left', 'fill_right'], fill),
      delayed_name_removal: engine.delayedNameRemoval === true,
      per_step_stats: false,
      type_and_unit_labels: false,
    }),
    promql_functions: sorted(
      Object.fromEntries(
        Object.values(functionTable).map(({ name, experimental: isNew }) => [name, !isNew || experimental]),
      ),
    ),
    promql_operators: sorted({ ...all(operators, true), ...all(['limit_ratio', 'limitk'], experimental) }),
    rules: { concurrent_rule_eval: false, keep_firing_for: true, query_offset: true },
  };
}

function all(names: readonly string[], enabled: boolean): Flags {
  return Object.fromEntries(names.map((name) => [name, enabled]));
}

function sorted(flags: Flags): Flags {
  return Object.fromEntries(Object.entries(flags).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
