// What refuses a whole monitor, as the Prometheus operator refuses it, and what does not.

import { describe, expect, test } from '@jest/globals';
import { discover, manifest, refusals, urls } from '../discovery/test-discovery.ts';

const secret = manifest('Secret', 's', { stringData: { user: 'u', password: 'p', token: 't' } });
const key = (name: string, of = 's') => ({ name: of, key: name });

/** The reason that the only monitor is refused for; '' when it is not. */
function refusal(kind: string, spec: object, fleet: object = {}): Promise<string> {
  const all = [secret, manifest(kind, 'one', { spec })];
  return discover(
    all,
    (found) =>
      refusals(found)
        .join('\n')
        .replace(/^one: /, ''),
    fleet,
  );
}

const selector = { matchLabels: {} };
const endpointOf = (endpoint: object, fleet?: object): Promise<string> =>
  refusal('ServiceMonitor', { selector, endpoints: [endpoint] }, fleet);
const scrapeConfigOf = (spec: object): Promise<string> => refusal('ScrapeConfig', spec);
const probeOf = (url: string, labels: object = {}): Promise<string> =>
  refusal('Probe', { prober: { url }, targets: { staticConfig: { static: ['t'], labels } } });

describe('credentials', () => {
  test('are whole and there', async () => {
    expect(await endpointOf({ basicAuth: { username: key('user'), password: key('password') } })).toBe('');
    expect(await endpointOf({ basicAuth: {} })).toContain('basicAuth: want');
    expect(await endpointOf({ basicAuth: { username: key('user') } })).toContain('basicAuth: want');
    expect(await endpointOf({ basicAuth: { username: key('user'), password: key('nope') } })).toContain(
      'no key nope',
    );
    expect(await endpointOf({ authorization: { type: 'Bearer' } })).toContain('authorization: want');
    expect(await endpointOf({ authorization: { credentials: key('token', 'nope') } })).toContain('not found');
    expect(await endpointOf({ authorization: { type: 'basic', credentials: key('token') } })).toContain(
      'Basic',
    );
  });

  test('of TLS come from one place each', async () => {
    const two = { secret: key('ca'), configMap: key('ca') };
    expect(await endpointOf({ tlsConfig: { ca: two } })).toContain('one of secret and configMap');
    expect(await endpointOf({ tlsConfig: { ca: { secret: key('ca') }, caFile: '/ca' } })).toContain(
      'ca and caFile',
    );
    expect(await endpointOf({ tlsConfig: { certFile: '/cert' } })).toContain('certificate and key');
    expect(await endpointOf({ tlsConfig: { minVersion: 'TLS13', maxVersion: 'TLS12' } })).toContain('below');
  });

  test('of a proxy are there', async () => {
    const proxyUrl = 'http://proxy:3128';
    const header = (name: string) => ({ proxyConnectHeader: { 'X-A': [key(name)] } });
    expect(await endpointOf({ proxyUrl, ...header('token') })).toBe('');
    expect(await endpointOf({ proxyUrl, ...header('nope') })).toContain('no key nope');
    expect(await endpointOf(header('token'))).toContain('proxyConnectHeader');
    expect(await endpointOf({ noProxy: 'a' })).toContain('noProxy');
    expect(await endpointOf({ proxyUrl, proxyFromEnvironment: true })).toContain('proxyFromEnvironment');
  });

  test('of OAuth 2 are whole and there', async () => {
    const oauth2 = { clientId: { secret: key('user') }, clientSecret: key('token'), tokenUrl: 'http://t/' };
    const of = (changed: object): Promise<string> => endpointOf({ oauth2: { ...oauth2, ...changed } });
    expect(await of({})).toBe('');
    expect(await of({ clientId: {} })).toContain('oauth2: want the secret or configMap of clientId');
    expect(await of({ clientId: { secret: key('user'), configMap: key('user') } })).toContain(
      'clientId: want one',
    );
    expect(await of({ clientSecret: key('nope') })).toContain('no key nope');
    expect(await of({ noProxy: 'a' })).toContain('noProxy');
    expect(await of({ tlsConfig: { ca: { secret: key('token') } } })).toContain('no certificate');
    expect(await of({ proxyUrl: 'http://p', proxyConnectHeader: { A: [key('nope')] } })).toContain(
      'no key nope',
    );
    expect(await endpointOf({ oauth2, authorization: { credentials: key('token') } })).toContain(
      'at most one',
    );
    expect(await scrapeConfigOf({ httpSDConfigs: [{ url: 'http://127.0.0.1:1/', oauth2 }] })).toContain(
      'not supported',
    );
  });

  test('of HTTP discovery are checked, too', async () => {
    const config = (authorization: object) => ({
      httpSDConfigs: [{ url: 'http://127.0.0.1:1/', authorization }],
    });
    expect(await scrapeConfigOf(config({ credentials: key('token') }))).toBe('');
    expect(await scrapeConfigOf(config({ credentials: key('nope') }))).toContain('no key nope');
  });

  test('in files are not for tenants of a guarded Fleet', async () => {
    const fleet = { arbitraryFSAccessThroughSMs: { deny: true } };
    expect(await endpointOf({ bearerTokenFile: '/token' })).toBe('');
    expect(await endpointOf({ bearerTokenFile: '/token' }, fleet)).toContain('denies');
  });
});

describe('times', () => {
  test('0 means not given', async () => {
    expect(await endpointOf({ interval: '0', scrapeTimeout: '0' })).toBe('');
    expect(await endpointOf({ interval: '5s', scrapeTimeout: '6s' })).toContain('greater than interval');
    expect(await endpointOf({ interval: '5s', scrapeTimeout: '5s' })).toBe('');
  });
});

describe('a selector', () => {
  const of = (kind: string, bad: object): Promise<string> =>
    refusal(kind, { selector: bad, endpoints: [{}], podMetricsEndpoints: [{}] });

  test.each(['ServiceMonitor', 'PodMonitor'])(
    'of a %s has keys and values that labels can have',
    async (kind) => {
      expect(await of(kind, { matchLabels: { 'not a key': 'x' } })).toContain('label "not a key"');
      expect(await of(kind, { matchLabels: { a: 'not a value!' } })).toContain('value "not a value!"');
      expect(await of(kind, { matchLabels: { [`a.b/${'c'.repeat(64)}`]: 'x' } })).toContain('label "a.b/c');
      expect(await of(kind, { matchLabels: { 'a.b/C_d': '' } })).toBe('');
    },
  );
});

describe('a Probe', () => {
  test('has a prober that is host or host:port', async () => {
    for (const url of ['prober', 'prober:9115', '10.0.0.1:1', '[::1]:9115', '2001:db8::1', 'a.b.c:65535'])
      expect([url, await probeOf(url)]).toEqual([url, '']);
    for (const url of ['http://prober', 'prober/path', 'prober:0', 'prober:65536', 'prober:http', 'a b', ''])
      expect([url, await probeOf(url)]).toEqual([url, expect.stringContaining('prober.url')]);
  });

  test('has labels with names', async () => {
    expect(await probeOf('prober', { '': 'x' })).toContain('label has no name');
  });
});

describe('a ScrapeConfig', () => {
  test('has relabelings whose names its scheme has', async () => {
    const staticConfigs = [{ targets: ['t'] }];
    const rules = [{ targetLabel: 'a.b', replacement: 'x' }];
    for (const field of ['relabelings', 'metricRelabelings']) {
      expect(await scrapeConfigOf({ staticConfigs, [field]: rules })).toBe('');
      const legacy = { staticConfigs, [field]: rules, nameValidationScheme: 'Legacy' };
      expect(await scrapeConfigOf(legacy)).toContain(`"a.b" is invalid 'target_label' for replace action`);
    }
  });

  test('has a port for DNS records that have none', async () => {
    const dns = (config: object) => ({ dnsSDConfigs: [{ names: ['a.invalid'], ...config }] });
    expect(await scrapeConfigOf(dns({ type: 'A' }))).toContain('want a port');
    expect(await scrapeConfigOf(dns({ type: 'MX' }))).toContain('want a port');
    for (const good of [{ type: 'A', port: 80 }, { type: 'SRV' }, {}])
      expect([good, await scrapeConfigOf(dns(good))]).toEqual([good, '']);
  });

  test('selects what its role can select', async () => {
    const config = (role: string, selected: string, text: object = { label: 'a=b' }) => ({
      kubernetesSDConfigs: [{ role, selectors: [{ role: selected, ...text }] }],
    });
    expect(await scrapeConfigOf(config('Pod', 'Service'))).toContain(
      'role Pod: selector of Service, want one of pod',
    );
    expect(await scrapeConfigOf(config('EndpointSlice', 'Endpoints'))).toContain('want one of endpointslice');
    expect(await scrapeConfigOf(config('Node', 'Pod'))).toContain('want one of node');
    expect(await scrapeConfigOf(config('EndpointSlice', 'Service'))).toBe('');
    expect(await scrapeConfigOf(config('pod', 'Pod'))).toBe('');
    expect(await scrapeConfigOf(config('Pod', 'Pod', { label: 'a in b' }))).toContain('label selector');
    expect(await scrapeConfigOf(config('Pod', 'Pod', { field: 'status.phase' }))).toContain('field selector');
  });

  test('has static labels with names, and no discovery that is not there', async () => {
    const labelled = { staticConfigs: [{ targets: ['a:1'], labels: { '': 'x' } }] };
    expect(await scrapeConfigOf(labelled)).toContain('label has no name');
    expect(await scrapeConfigOf({ consulSDConfigs: [{ server: 'a' }] })).toContain(
      'consulSDConfigs: not supported',
    );
  });
});

describe('a PrometheusRule', () => {
  const ruleOf = (rule: object): Promise<string> =>
    refusal('PrometheusRule', { groups: [{ name: 'g', rules: [rule] }] });

  test('has templates that parse', async () => {
    const alert = (labels: object, annotations: object = {}) =>
      ruleOf({ alert: 'a', expr: 'up', labels, annotations });
    expect(await alert({ a: '{{ $labels.job }}' }, { b: '{{ $value | humanize }}' })).toBe('');
    expect(await alert({ a: '{{ unknownFunction }}' })).toContain('function "unknownFunction" not defined');
    expect(await alert({}, { b: '{{ .Nope' })).toContain('unclosed action');
  });
});

test('what the Fleet does not select is not refused, however bad', async () => {
  const bad = manifest('Probe', 'bad', { spec: { prober: { url: 'p' }, targets: {} } });
  expect(await discover([bad], refusals)).toHaveLength(1);
  expect(await discover([bad], refusals, { probeSelector: null })).toEqual([]);
});

test('a target that relabeling breaks is no target, and refuses nothing', async () => {
  const rule = (regex: string, targetLabel: string, replacement: string) => ({
    sourceLabels: ['__address__'],
    regex,
    targetLabel,
    replacement,
  });
  const spec = {
    staticConfigs: [{ targets: ['good:1', 'slash:1', 'empty:1', 'interval:1', 'dropped:1'] }],
    relabelings: [
      rule('slash:1', '__address__', 'a/b'),
      rule('empty:1', '__address__', ''),
      rule('interval:1', '__scrape_interval__', 'soon'),
      { sourceLabels: ['__address__'], regex: 'dropped:1', action: 'drop' },
    ],
  };
  await discover([manifest('ScrapeConfig', 'one', { spec })], (found) => {
    expect([urls(found), refusals(found)]).toEqual([['http://good:1/metrics'], []]);
    expect(found.pools()[0]?.droppedCount).toBe(1);
    expect(found.problems().map(({ name, isOfTargets }) => [name, isOfTargets])).toEqual([['one', true]]);
  });
});

test('settings of OAuth 2 reach the job as references', async () => {
  const oauth2 = {
    clientId: { secret: key('user') },
    clientSecret: key('token'),
    tokenUrl: 'http://t/',
    scopes: ['a'],
    endpointParams: { p: 'v' },
  };
  const connection = {
    proxyUrl: 'http://p',
    noProxy: 'x',
    proxyConnectHeader: { A: [key('token')] },
    tlsConfig: { serverName: 's' },
  };
  const endpoint = { oauth2: { ...oauth2, ...connection } };
  const monitor = manifest('ServiceMonitor', 'one', { spec: { selector, endpoints: [endpoint] } });
  const reference = (of: string) => ({ secret: { kind: 'Secret', namespace: 'shop', name: 's', key: of } });
  const scrapeClasses = [{ name: 'c', default: true, authorization: { credentials: key('token') } }];
  await discover(
    [secret, monitor],
    (found) =>
      expect(found.pools()[0]?.job.auth).toEqual({
        oauth2: {
          ...oauth2,
          clientId: reference('user'),
          clientSecret: reference('token'),
          tls: { serverName: 's' },
          proxy: {
            url: 'http://p',
            noProxy: 'x',
            connectHeaders: [{ name: 'A', values: [reference('token')] }],
          },
        },
      }),
    { scrapeClasses },
  );
});
