// The ruler's flags.

import { defineFlags, operatorClientFlags, standardFlags } from '@flotilla/chassis';

export const rulerFlags = defineFlags({
  ...standardFlags,
  ...operatorClientFlags,
  replica: { type: 'number', default: 0, min: 0, help: 'Number of this replica.' },
  'rules.dir': {
    type: 'string',
    required: true,
    help: 'Folder of rule files, watched; with --operator.url kept equal to what the operator serves.',
  },
  'query.url': {
    type: 'list',
    help: 'Address of a querier; may be given several times, the next is asked when one fails.',
  },
  'query.external-url': {
    type: 'string',
    default: '',
    help: 'Where users reach the page, for links in alerts.',
  },
  'alertmanager.url': { type: 'list', help: 'Address of an Alertmanager; every one gets every alert.' },
  'external-label': { type: 'list', help: 'name=value, added to alerts that do not have it.' },
  'evaluation-interval': { type: 'duration', default: '1m', help: 'Interval of groups that name none.' },
  'storage.path': { type: 'string', required: true, help: 'Folder of the own time-series database.' },
  'storage.retention': { type: 'duration', default: '15d', help: 'How long results are kept.' },
  'rules.alert.for-outage-tolerance': {
    type: 'duration',
    default: '1h',
    help: 'Longest outage after which `for` is restored.',
  },
  'rules.alert.for-grace-period': {
    type: 'duration',
    default: '10m',
    help: 'Least time between a restart and an alert, for alerts with a longer `for`.',
  },
  'rules.alert.resend-delay': {
    type: 'duration',
    default: '1m',
    help: 'Least time before an alert is sent again.',
  },
});
