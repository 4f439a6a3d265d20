// The scraper as a part: what a test or a bench runs in its own process. The binary is main.ts.

export { scraperFlags, type ScraperConfig } from './config.ts';
export { startScraper, type ScraperContext } from './scraper.ts';
export { LineParser, type EntryKind, type LineFormat } from './parse/line-parser.ts';
export { ParseError } from './parse/parse-error.ts';
