// The scraper as a part: what a test or a bench runs in its own process. The binary is main.ts.

export { scraperFlags, type ScraperConfig } from './config.ts';
export { startScraper, type ScraperContext } from './scraper.ts';
export { acceptHeader } from './fetch/accept-header.ts';
export type { EntryKind, LineCursor } from './parse/line-cursor.ts';
export { type LineFormat, lineParser } from './parse/line-formats.ts';
export { schemaOfFactor } from './ingest/histogram-limits.ts';
export { MetadataStore } from './ingest/metadata-store.ts';
export { ScrapeCounters } from './ingest/scrape-counters.ts';
export { SeriesGuard } from './ingest/series-guard.ts';
export { type IngestContext, TargetIngest } from './ingest/target-ingest.ts';
export { expositionFormat } from './parse/content-type.ts';
export { ParseError } from './parse/parse-error.ts';
