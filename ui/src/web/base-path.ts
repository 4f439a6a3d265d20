// Where the page is served: the folder above its scripts, which is below the querier's route prefix.

/** '' or a path with a slash before and none behind. */
export const basePath = new URL('..', import.meta.url).pathname.replace(/\/$/, '');
