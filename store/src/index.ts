// A tsdb behind HTTP: the Store API that queriers ask, served by every scraper and ruler.

export { isCovered } from './slot-coverage.ts';
export { createStoreRouter } from './store-router.ts';
export type { StoreRouterOptions } from './store-router.ts';
export { UptimeLog } from './uptime-log.ts';
