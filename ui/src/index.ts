// What the querier needs to serve the page: where its files are, which paths are its pages, what it may load.

import { fileURLToPath } from 'node:url';

/** Paths that all serve index.html. */
export const uiRoutes: readonly string[] = ['/', '/query', '/targets', '/alerts', '/rules', '/fleet'];

/** The page loads nothing from elsewhere. Its editor and plots set styles from script. */
export const uiContentSecurityPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; " +
  "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'";

/** Folder of the built page: index.html and assets/. */
export function uiFolder(): string {
  return fileURLToPath(new URL('../dist/page/', import.meta.url));
}
