#!/usr/bin/env node
// The scraper's process.

import { runMain } from '@flotilla/chassis';
import { setFlagsFromString } from 'node:v8';
import { scraperFlags } from './config.ts';
import { startScraper } from './scraper.ts';

// What a scrape leaves behind would otherwise double the heap, which open native histograms make large, before it is looked at.
setFlagsFromString('--heap-growing-percent=50');

await runMain('scraper', scraperFlags, startScraper);
