// Alerts and rules: the groups of the rulers, their states, errors and last evaluation.

import { ago } from './format.ts';
import { Badge, Labels, Loaded, QueryLink } from './parts.tsx';
import { useApi } from './use-api.ts';

interface Alert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly state: string;
  readonly activeAt: string;
  readonly value: string;
}

interface Rule {
  readonly type: 'alerting' | 'recording';
  readonly name: string;
  readonly query: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly health: string;
  readonly lastError?: string;
  readonly lastEvaluation: string;
  readonly evaluationTime: number;
  readonly state?: string;
  readonly alerts?: readonly Alert[];
}

interface Group {
  readonly name: string;
  readonly file: string;
  readonly interval: number;
  readonly rules: readonly Rule[];
}

export function AlertsPage() {
  const resource = useApi<{ readonly groups: readonly Group[] }>('rules?type=alert', 5000);
  return (
    <section aria-label="Alerts">
      <Loaded resource={resource}>
        {({ groups }) => {
          const rules = groups.flatMap((group) => group.rules);
          if (rules.length === 0) return <p class="quiet">There are no alerting rules.</p>;
          return rules.map((rule) => <AlertRule key={rule.name + rule.query} rule={rule} />);
        }}
      </Loaded>
    </section>
  );
}

function AlertRule({ rule }: { readonly rule: Rule }) {
  const alerts = rule.alerts ?? [];
  return (
    <details open={alerts.length > 0}>
      <summary>
        {rule.name}{' '}
        <Badge state={rule.state ?? 'unknown'}>
          {alerts.length > 0 ? `${rule.state} (${alerts.length})` : rule.state}
        </Badge>
      </summary>
      <p>
        <QueryLink expr={rule.query} />
      </p>
      {rule.lastError !== undefined && <p class="error">{rule.lastError}</p>}
      {alerts.map((alert) => (
        <div key={JSON.stringify(alert.labels)} class="alert">
          <Badge state={alert.state} /> <Labels labels={alert.labels} />
          <div class="quiet">
            active {ago(Date.parse(alert.activeAt), Date.now())}, value {Number(alert.value)}
          </div>
          {Object.entries(alert.annotations).map(([name, text]) => (
            <div key={name}>
              <b>{name}</b> {text}
            </div>
          ))}
        </div>
      ))}
    </details>
  );
}

export function RulesPage() {
  const resource = useApi<{ readonly groups: readonly Group[] }>('rules', 5000);
  return (
    <section aria-label="Rules">
      <Loaded resource={resource}>
        {({ groups }) =>
          groups.length === 0 ? (
            <p class="quiet">There are no rules.</p>
          ) : (
            groups.map((group) => <RuleGroup key={group.file + group.name} group={group} />)
          )
        }
      </Loaded>
    </section>
  );
}

function RuleGroup({ group }: { readonly group: Group }) {
  return (
    <details open>
      <summary>
        {group.name}{' '}
        <span class="quiet">
          {group.file}, every {group.interval} s
        </span>
      </summary>
      <table>
        <thead>
          <tr>
            <th>Rule</th>
            <th>Expression</th>
            <th>Health</th>
            <th>Last evaluation</th>
          </tr>
        </thead>
        <tbody>
          {group.rules.map((rule) => (
            <tr key={rule.name + rule.query}>
              <td data-title="Rule">{rule.name}</td>
              <td data-title="Expression">
                <QueryLink expr={rule.query} />
              </td>
              <td data-title="Health">
                <Badge state={rule.health} />
                {rule.lastError !== undefined && <div class="error">{rule.lastError}</div>}
              </td>
              <td data-title="Last evaluation">
                {ago(Date.parse(rule.lastEvaluation), Date.now())}, {(rule.evaluationTime * 1000).toFixed(1)}{' '}
                ms
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
