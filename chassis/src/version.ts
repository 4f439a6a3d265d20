// Our version, and the Prometheus API that we speak.

import { readFileSync } from 'node:fs';

interface PackageFile {
  readonly version: string;
}

const packageFile = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
) as PackageFile;

/** The version of this build, as in package.json. */
export const VERSION = packageFile.version;
/** Clients such as Grafana choose features by this version, so buildinfo answers it in place of ours. */
export const PROMETHEUS_VERSION = '3.15.0';

/** `data` of /api/v1/status/buildinfo: Prometheus's fields, and ours beside them. */
export interface BuildInfo {
  readonly version: string;
  readonly revision: string;
  readonly branch: string;
  readonly buildUser: string;
  readonly buildDate: string;
  readonly goVersion: string;
  readonly flotillaVersion: string;
  readonly nodeVersion: string;
}

export function buildInfo(): BuildInfo {
  return {
    version: PROMETHEUS_VERSION,
    revision: '',
    branch: '',
    buildUser: '',
    buildDate: '',
    goVersion: '',
    flotillaVersion: VERSION,
    nodeVersion: process.version,
  };
}
