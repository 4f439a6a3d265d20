// The operator's flags.

import { defineFlags, standardFlags } from '@flotilla/chassis';

export const operatorFlags = defineFlags({
  ...standardFlags,
  'source.folder': { type: 'list', help: 'Folder of manifests to watch; may be given several times.' },
  data: {
    type: 'string',
    required: true,
    help: 'Where the operator keeps its state and publishes topology, rules and workloads.',
  },
  local: { type: 'boolean', help: 'Run workloads as processes of this machine.' },
  'querier.listen-address': {
    type: 'string',
    default: '127.0.0.1:9090',
    help: 'Address of the first querier of a local fleet.',
  },
});
