import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ApiClient } from './api-client.ts';
import { TestApiServer, testLog } from './test-api-server.ts';
import { upgradeCrds } from './upgrade-crds.ts';

/** A machine that does much else is slow, not wrong. */
jest.setTimeout(60_000);

const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const name = 'fleets.flotilla.dev';

let server: TestApiServer;
let client: ApiClient;
let folder: string;
beforeEach(async () => {
  server = new TestApiServer();
  client = await server.open();
  folder = mkdtempSync(join(tmpdir(), 'flotilla-crds-'));
});
afterEach(async () => {
  rmSync(folder, { recursive: true });
  await server.close();
});

function crd(version: string | undefined, text: string): object {
  const annotations = version === undefined ? {} : { 'flotilla.dev/crd-version': version };
  return { metadata: { name, annotations }, spec: { text } };
}

/** `want` is the text of the one that is installed afterwards. */
async function check(installed: object | undefined, wanted: object, want: string): Promise<void> {
  if (installed === undefined) server.store.remove(`${crds}/${name}`);
  else server.store.put(`${crds}/${name}`, installed);
  writeFileSync(join(folder, 'crd.yaml'), JSON.stringify(wanted));
  await upgradeCrds(client, folder, testLog);
  expect(server.store.get(`${crds}/${name}`)!['spec']).toEqual({ text: want });
}

describe('upgradeCrds', () => {
  test('makes what is missing, and brings older ones of ours up to date', async () => {
    await check(undefined, crd('2', 'ours'), 'ours');
    await check(crd('1', 'old'), crd('2', 'ours'), 'ours');
    await check(crd('9', 'old'), crd('10', 'ours'), 'ours');
  });

  test('leaves newer ones and those of others alone', async () => {
    await check(crd('2', 'same'), crd('2', 'ours'), 'same');
    await check(crd('3', 'newer'), crd('2', 'ours'), 'newer');
    await check(crd(undefined, 'theirs'), crd('2', 'ours'), 'theirs');
    await check(crd('?', 'theirs'), crd('2', 'ours'), 'theirs');
  });

  test('one that is refused, or no YAML, costs no other', async () => {
    writeFileSync(join(folder, 'a.yaml'), '{');
    writeFileSync(join(folder, 'notes.txt'), 'not one');
    await check(undefined, crd('1', 'ours'), 'ours');
    server.refuse = ({ line }) => (line.startsWith('PATCH') ? { status: 403 } : undefined);
    await check(crd('0', 'old'), crd('1', 'ours'), 'old');
  });

  test('survives a folder that is not there', async () => {
    await upgradeCrds(client, join(folder, 'none'), testLog);
    expect(server.requests).toEqual([]);
  });
});
