// Proof: a headless browser opens the page, runs a query, sees a graph; screenshots are kept in e2e/artefacts/.
// Needs Debian's chromium; without it the test is skipped and counted.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';
import { startExporters, stopExporters } from '../local/exporter.ts';
import type { Exporter } from '../local/exporter.ts';
import { eventually, LocalFleet } from '../local/fleet.ts';
import { fleetManifest, prometheusRule, scrapeConfig } from '../local/manifests.ts';

const executablePath = '/usr/bin/chromium';
const installed = existsSync(executablePath);
const proof = installed ? test : test.skip;
const reason = installed ? '' : ` (skipped: ${executablePath} is not installed)`;
const artefacts = fileURLToPath(new URL('../../artefacts/', import.meta.url));
const quiet = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

let exporters: Exporter[];
let fleet: LocalFleet;
let browser: Browser;

beforeAll(async () => {
  if (!installed) return;
  mkdirSync(artefacts, { recursive: true });
  exporters = await startExporters(4);
  fleet = await LocalFleet.start({
    'fleet.yaml': fleetManifest({ shards: 2, replicas: 2, rulers: 1 }),
    'app.yaml': scrapeConfig(
      'app',
      exporters.map(({ address }) => address),
    ),
    'rules.yaml': prometheusRule('app', '        - alert: AlwaysOn\n          expr: vector(1)\n'),
  });
  await eventually('data to look at', 40_000, async () => {
    const answer = await fleet.query('count(count_over_time(test_temperature[1m]) > 5)');
    return answer.body.data.result[0]?.value?.[1] === '8' ? true : undefined;
  });
  browser = await chromium.launch({ executablePath, args: quiet });
}, 120_000);

afterAll(async () => {
  if (!installed) return;
  await browser.close();
  await fleet.remove();
  await stopExporters(exporters);
}, 30_000);

/** Runs in the page: pixels of a colour, which only series have; grid and text are grey. */
const countColorfulPixels = `(canvas) => {
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let count = 0;
  for (let at = 0; at < data.length; at += 4) {
    const [red, green, blue, alpha] = data.subarray(at, at + 4);
    if (alpha > 128 && Math.max(red, green, blue) - Math.min(red, green, blue) > 70) count++;
  }
  return count;
}`;

/** A page that fails the test on any script error. */
async function open(width: number, colorScheme: 'light' | 'dark', errors: string[]): Promise<Page> {
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  await page.goto(`${fleet.url}/query?g0.range_input=30s`);
  return page;
}

proof(
  `a query typed on the keyboard becomes a graph${reason}`,
  async () => {
    const errors: string[] = [];
    const page = await open(1280, 'light', errors);
    await page.locator('[data-testid=query-input]').click();
    await page.keyboard.type('test_temperature');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Enter');
    await page.locator('[data-testid=tab-graph]').click();
    await page.locator('[data-testid=graph] canvas').first().waitFor({ timeout: 15_000 });
    const colorful = await eventually('lines are drawn', 15_000, async () => {
      const canvas = "document.querySelector('[data-testid=graph] canvas')";
      const count = Number(await page.evaluate(`(${countColorfulPixels})(${canvas})`));
      return count > 200 ? count : undefined;
    });
    expect(colorful).toBeGreaterThan(200);
    await page.screenshot({ path: join(artefacts, 'query-graph-light.png') });
    await page.locator('[data-testid=tab-table]').click();
    await page.locator('[data-testid=result-table]').waitFor();
    expect(await page.locator('[data-testid=result-table]').innerText()).toContain('test_temperature');
    await page.screenshot({ path: join(artefacts, 'query-table-light.png') });
    expect(errors).toEqual([]);
    await page.close();
  },
  60_000,
);

proof(
  `every page shows what the fleet has, at phone width in the dark too${reason}`,
  async () => {
    const errors: string[] = [];
    for (const [width, scheme] of [
      [1280, 'light'],
      [360, 'dark'],
    ] as const) {
      const page = await open(width, scheme, errors);
      for (const [name, text] of [
        ['targets', exporters[0]!.address],
        ['alerts', 'AlwaysOn'],
        ['rules', 'AlwaysOn'],
        ['fleet', 'scraper-main-1-1'],
      ] as const) {
        await page.goto(`${fleet.url}/${name}`);
        await page.getByText(text).first().waitFor({ timeout: 10_000 });
        const overflow = await page.evaluate(
          'document.documentElement.scrollWidth - document.documentElement.clientWidth',
        );
        expect([name, width, Number(overflow) <= 0]).toEqual([name, width, true]);
        await page.screenshot({ path: join(artefacts, `${name}-${width}-${scheme}.png`) });
      }
      await page.close();
    }
    expect(errors).toEqual([]);
  },
  90_000,
);
