// The receiver's own metrics.

import { collectFrom, type Registry } from '@flotilla/chassis';
import type { WriteReceiver } from './write-receiver.ts';

export function exposeReceiver(metrics: Registry, receiver: WriteReceiver): void {
  const counter = (name: string, help: string, value: () => number): void =>
    collectFrom(metrics, name, help, 'counter', [], (emit) => emit(value()));
  for (const kind of ['samples', 'histograms', 'exemplars'] as const)
    counter(
      `flotilla_receiver_${kind}_total`,
      `Pushed ${kind} that were taken.`,
      () => receiver.received[kind],
    );
  counter(
    'flotilla_receiver_requests_refused_total',
    'Pushed requests of which something was refused.',
    () => receiver.refusedRequests,
  );
  counter(
    'prometheus_api_remote_write_invalid_labels_samples_total',
    'The total number of received remote write samples and histogram samples which contained invalid labels.',
    () => receiver.invalidSamples,
  );
  counter(
    'flotilla_receiver_replicas_failed_total',
    'Parts of pushed requests that a replica could not be given.',
    () => receiver.failedReplicas,
  );
}
