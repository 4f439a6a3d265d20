#!/usr/bin/env node
// The scraper's process.

import { runMain } from '@flotilla/chassis';
import { scraperFlags } from './config.ts';
import { startScraper } from './scraper.ts';

await runMain('scraper', scraperFlags, startScraper);
