{{- /* How scrapers show themselves to kubelets and API servers: with files that every pod has, so no Secret is needed. */ -}}
{{- define "flotilla.scrapeClass" -}}
name: kubernetes
authorization:
  type: Bearer
  credentialsFile: /var/run/secrets/kubernetes.io/serviceaccount/token
tlsConfig:
  caFile: /var/run/secrets/kubernetes.io/serviceaccount/ca.crt
{{- end -}}

{{- /* Metadata of a monitor. Argument: [context, suffix of the name]. */ -}}
{{- define "flotilla.monitorMetadata" -}}
{{- $context := index . 0 -}}
name: {{ include "flotilla.fullname" $context }}-{{ index . 1 }}
namespace: {{ $context.Release.Namespace }}
labels:
  {{- include "flotilla.labels" (list $context "monitor") | nindent 2 }}
  {{- with $context.Values.monitoring.labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}
