// The flags that every binary has. A binary spreads them into its own spec and may override defaults.

import { defineFlags, type FlagValues } from './flag-spec.ts';
import { ProgramExit } from './usage.ts';

export const standardFlags = defineFlags({
  'config.file': { type: 'string', help: 'YAML file with these same flags as keys; the command line wins.' },
  'web.listen-address': {
    type: 'string',
    default: '127.0.0.1:0',
    help: 'Address to listen on; port 0 picks a free one.',
  },
  'web.external-url': { type: 'string', default: '', help: 'URL under which users reach this process.' },
  'web.config.file': {
    type: 'string',
    default: '',
    help: "TLS and basic authentication, in Prometheus's web configuration format.",
  },
  'web.max-connections': { type: 'number', default: 512, min: 1, help: 'Connections open at once.' },
  'web.read-timeout': { type: 'duration', default: '5m', help: 'Time to receive one whole request.' },
  'log.level': {
    type: 'string',
    default: 'info',
    choices: ['debug', 'info', 'warn', 'error'],
    help: 'Least severe level to log.',
  },
  'log.format': {
    type: 'string',
    default: 'logfmt',
    choices: ['logfmt', 'json'],
    help: 'Format of log lines.',
  },
  'internal.token-file': {
    type: 'string',
    default: '',
    help: 'File with the token that the parts of a fleet show each other.',
  },
  'internal.insecure': { type: 'boolean', help: 'Let internal endpoints answer without a token.' },
  'internal.ca-file': {
    type: 'string',
    default: '',
    help: 'CA that signed the certificates of the other parts.',
  },
  'internal.cert-file': {
    type: 'string',
    default: '',
    help: 'Client certificate to show to the other parts.',
  },
  'internal.key-file': { type: 'string', default: '', help: 'Key of the client certificate.' },
  'process.exit-with-parent': {
    type: 'boolean',
    help: 'Shut down when stdin closes, that is when the starting process is gone.',
  },
});

export type StandardConfig = FlagValues<typeof standardFlags>;

/** The flags of a part that calls the operator. */
export const operatorClientFlags = defineFlags({
  'operator.url': { type: 'string', default: '', help: 'Where the operator answers.' },
  'operator.token-file': {
    type: 'string',
    default: '',
    help: 'File with the token to show the operator, such as a projected ServiceAccount token; the internal one by default.',
  },
});

/** The token file for calls to the operator; undefined when they need none. */
export function operatorTokenFile(
  config: Pick<StandardConfig, 'internal.token-file' | 'internal.insecure'> &
    Pick<FlagValues<typeof operatorClientFlags>, 'operator.token-file'>,
): string | undefined {
  return config['operator.token-file'] || internalTokenFile(config);
}

/**
 * The token file to use, or undefined when --internal.insecure asks for open internal endpoints.
 *
 * Throws ProgramExit when neither flag is given: a forgotten token must not open them silently.
 */
export function internalTokenFile(
  config: Pick<StandardConfig, 'internal.token-file' | 'internal.insecure'>,
): string | undefined {
  if (config['internal.token-file'] !== '') return config['internal.token-file'];
  if (config['internal.insecure']) return undefined;
  throw new ProgramExit(2, 'flag --internal.token-file: missing, want a file (or --internal.insecure)\n');
}
