import { expect, test } from '@jest/globals';
import { proxyUrlFor } from './proxy-url.ts';

const url = 'http://proxy:3128';

function check(target: string, noProxy: string, want: string): void {
  expect([target, noProxy, proxyUrlFor(new URL(target), { url, noProxy })]).toEqual([target, noProxy, want]);
}

test('a proxy without exceptions is for everything, this machine included', () => {
  check('http://a.example/metrics', '', url);
  check('http://127.0.0.1:9100/metrics', '', url);
});

test('exceptions are hosts, domains, addresses, networks and ports', () => {
  check('http://a.example/', 'b.example', url);
  check('http://a.example/', 'x, a.example', '');
  check('http://sub.a.example/', 'a.example', '');
  check('http://nota.example/', 'a.example', url);
  check('http://a.example/', '.a.example', url);
  check('http://sub.a.example/', '.a.example', '');
  check('http://sub.a.example/', '*.a.example', '');
  check('http://a.example:81/', 'a.example:81', '');
  check('http://a.example/', 'a.example:81', url);
  check('https://a.example/', 'a.example:443', '');
  check('http://10.1.2.3/', '10.1.0.0/16', '');
  check('http://10.2.2.3/', '10.1.0.0/16', url);
  check('http://10.2.2.3/', '10.2.2.3', '');
  check('http://[fd00::5]/', 'fd00::/8', '');
  check('http://[fd00::5]/', 'fd00::5', '');
  check('http://a.example/', '10.1.0.0/99', url);
  check('http://a.example/', '*', '');
  check('http://localhost/', 'other', '');
  check('http://127.0.0.1/', 'other', '');
});

test('the environment names a proxy for each scheme', () => {
  const environment = { HTTP_PROXY: 'plain:1', https_proxy: 'http://tls:2', NO_PROXY: 'a.example' };
  const of = (target: string): string => proxyUrlFor(new URL(target), { fromEnvironment: true }, environment);
  expect(of('http://b.example/')).toBe('http://plain:1');
  expect(of('https://b.example/')).toBe('http://tls:2');
  expect(of('https://a.example/')).toBe('');
  expect(proxyUrlFor(new URL('http://b.example/'), { fromEnvironment: true }, {})).toBe('');
});
