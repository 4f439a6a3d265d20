// The operator's flags.

import { defineFlags, standardFlags } from '@flotilla/chassis';
import type { FlagValues } from '@flotilla/chassis';

export const operatorFlags = defineFlags({
  ...standardFlags,
  'operator.url': {
    type: 'string',
    default: '',
    help: 'Where the parts of the fleet reach an operator; the listen address by default.',
  },

  'source.folder': {
    type: 'list',
    help: 'Folder of manifests to watch instead of Kubernetes; may be given several times.',
  },
  data: {
    type: 'string',
    default: '',
    help: 'With --source.folder: where the operator keeps its state and publishes topology and workloads.',
  },
  'querier.listen-address': {
    type: 'string',
    default: '127.0.0.1:9090',
    help: 'With --source.folder: address of the first querier.',
  },

  kubernetes: { type: 'boolean', help: 'Read objects from a Kubernetes API server and run workloads there.' },
  kubeconfig: {
    type: 'string',
    default: '',
    help: "Path of a kubeconfig; by default the pod's ServiceAccount is used.",
  },
  namespace: {
    type: 'string',
    default: 'default',
    help: 'Namespace of the Fleet and of all that is made for it.',
  },
  namespaces: {
    type: 'list',
    help: 'Namespaces to watch; may be given several times; the whole cluster by default.',
  },
  image: { type: 'string', default: '', help: "Image of the workloads; a Fleet's spec.image wins." },
  'image.pull-policy': {
    type: 'string',
    default: 'IfNotPresent',
    choices: ['Always', 'IfNotPresent', 'Never'],
    help: 'Pull policy of the workloads.',
  },
  'scraper.service-account': {
    type: 'string',
    default: 'flotilla-scraper',
    help: 'ServiceAccount of scrapers.',
  },
  'querier.service-account': {
    type: 'string',
    default: 'flotilla-querier',
    help: 'ServiceAccount of queriers.',
  },
  'ruler.service-account': { type: 'string', default: 'flotilla-ruler', help: 'ServiceAccount of rulers.' },
  'leader-election.lease': {
    type: 'string',
    default: 'flotilla-operator',
    help: 'Name of the Lease that the leader holds.',
  },
  identity: {
    type: 'string',
    default: '',
    help: 'Name of this operator in the Lease; the host name by default.',
  },
  'crds.dir': {
    type: 'string',
    default: '',
    help: 'Folder of CustomResourceDefinitions that the leader brings up to date; none by default.',
  },
});

export type OperatorConfig = FlagValues<typeof operatorFlags>;
