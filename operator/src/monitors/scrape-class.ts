// Scrape classes: settings that monitors share by name. What a monitor says itself wins, field by field as in the Prometheus operator.

import type { JobAuth } from '@flotilla/wire';
import type { FleetSpec, ScrapeClassSpec } from '../discovery/fleet-spec.ts';
import { makeAuth } from './job-auth.ts';

/** The class that a monitor names, or the default one. Throws RangeError for a name that the Fleet does not have. */
export function scrapeClassOf(
  { scrapeClasses }: FleetSpec,
  name: string | undefined,
): ScrapeClassSpec | undefined {
  if (name === undefined) return scrapeClasses.find((one) => one.default);
  const found = scrapeClasses.find((one) => one.name === name);
  if (found !== undefined) return found;
  const names = scrapeClasses.map((one) => one.name).join(', ');
  throw new RangeError(
    `scrapeClass "${name}": the Fleet has no such class${names === '' ? '' : `, want one of ${names}`}`,
  );
}

/**
 * A monitor without TLS settings takes all of the class's, one with some only the files that it leaves open. Its secrets are in the
 * Fleet's namespace.
 */
export function withClassAuth(
  own: JobAuth,
  scrapeClass: ScrapeClassSpec | undefined,
  fleet: FleetSpec,
): JobAuth {
  if (scrapeClass === undefined) return own;
  const { tlsConfig } = scrapeClass;
  const shared = {
    ...makeAuth({ ...(tlsConfig && { tlsConfig }) }, fleet.namespace),
    ...classAuthorization(scrapeClass, fleet),
  };
  const tls = mergeTls(own.tls, shared.tls);
  const hasOther = own.basic !== undefined || own.oauth2 !== undefined;
  const auth = hasOther ? undefined : (own.authorization ?? shared.authorization);
  return { ...own, ...(tls && { tls }), ...(auth && { authorization: auth }) };
}

function classAuthorization({ authorization }: ScrapeClassSpec, { namespace }: FleetSpec): JobAuth {
  if (authorization === undefined) return {};
  const { credentialsFile: file = '', ...rest } = authorization;
  if (file === '') return makeAuth({ authorization: rest }, namespace);
  if (rest.credentials !== undefined)
    throw new RangeError('scrapeClasses: authorization: want one of credentials and credentialsFile');
  return { authorization: { type: rest.type?.trim() || 'Bearer', credentials: { file } } };
}

type Tls = NonNullable<JobAuth['tls']>;

function mergeTls(own: Tls | undefined, shared: Tls | undefined): Tls | undefined {
  if (own === undefined || shared === undefined) return own ?? shared;
  const file = (slot: 'ca' | 'cert' | 'key'): Partial<Tls> => {
    const source = shared[slot];
    return own[slot] === undefined && source !== undefined && 'file' in source ? { [slot]: source } : {};
  };
  return { ...own, ...file('ca'), ...file('cert'), ...file('key') };
}
