// Proof: a browser on the querier's Service shows fleet, targets and a graph. Needs Debian's chromium.

import { afterAll, beforeAll, expect } from '@jest/globals';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import type { Browser } from 'playwright-core';
import { eventually } from '../local/fleet.ts';
import { closeApiServer } from './api-server.ts';
import { artefacts } from './environment.ts';
import { loadInstances } from './every-slot.ts';
import { proof } from './proof.ts';
import { querierUrl } from './querier.ts';

const executablePath = '/usr/bin/chromium';
const installed = existsSync(executablePath);
let browser: Browser;

beforeAll(async () => {
  mkdirSync(artefacts, { recursive: true });
  if (installed)
    browser = await chromium.launch({
      executablePath,
      args: ['--no-sandbox', '--disable-gpu', '--no-first-run'],
    });
}, 60_000);
afterAll(async () => {
  if (installed) await browser.close();
  closeApiServer();
});

/** Runs in the page: pixels of a colour, which only series have; grid and text are grey. */
const countColorfulPixels = `(() => {
  const canvas = document.querySelector('[data-testid=graph] canvas');
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let count = 0;
  for (let at = 0; at < data.length; at += 4) {
    const [red, green, blue, alpha] = data.subarray(at, at + 4);
    if (alpha > 128 && Math.max(red, green, blue) - Math.min(red, green, blue) > 70) count++;
  }
  return count;
})()`;

async function showsItAll(): Promise<void> {
  const url = await querierUrl();
  const errors: string[] = [];
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  page.on('pageerror', (error) => errors.push(error.message));
  for (const [name, text] of [
    ['fleet', 'scraper-main-0-1'],
    ['targets', loadInstances[0]!],
    ['alerts', 'Watching'],
    ['rules', 'load:up:count'],
  ] as const) {
    await page.goto(`${url}/${name}`);
    await page.getByText(text).first().waitFor({ timeout: 15_000 });
    await page.screenshot({ path: join(artefacts, `page-${name}.png`) });
  }
  await page.goto(`${url}/query?g0.expr=load_temperature&g0.tab=0&g0.range_input=2m`);
  await page.locator('[data-testid=graph] canvas').first().waitFor({ timeout: 15_000 });
  await eventually('lines are drawn', 15_000, async () =>
    Number(await page.evaluate(countColorfulPixels)) > 200 ? true : undefined,
  );
  await page.screenshot({ path: join(artefacts, 'page-graph.png') });
  expect(errors).toEqual([]);
}

proof(
  'the page shows fleet, targets, alerts, rules and a graph',
  showsItAll,
  120_000,
  installed ? '' : `${executablePath} is not installed`,
);
