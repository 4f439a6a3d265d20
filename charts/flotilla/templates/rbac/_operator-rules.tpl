{{- /* What the operator reads in every namespace that it watches, and what it tells there. A Fleet is read everywhere, so
that one in the wrong namespace can be told so. */ -}}
{{- define "flotilla.watchRules" -}}
- apiGroups: [monitoring.coreos.com]
  resources: [servicemonitors, podmonitors, probes, scrapeconfigs, prometheusrules]
  verbs: [get, list, watch]
- apiGroups: [monitoring.coreos.com]
  resources: [servicemonitors/status, podmonitors/status, probes/status, scrapeconfigs/status, prometheusrules/status]
  verbs: [patch]
- apiGroups: [flotilla.dev]
  resources: [fleets]
  verbs: [get, list, watch]
- apiGroups: ['']
  resources: [pods, services]
  verbs: [get, list, watch]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [get, list, watch]
- apiGroups: [networking.k8s.io]
  resources: [ingresses]
  verbs: [get, list, watch]
# Credentials that monitors refer to, by name; never listed.
- apiGroups: ['']
  resources: [secrets, configmaps]
  verbs: [get]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end -}}

{{- /* What has no namespace. */ -}}
{{- define "flotilla.clusterRules" -}}
# Who calls: scrapers, queriers and rulers show tokens of their ServiceAccounts.
- apiGroups: [authentication.k8s.io]
  resources: [tokenreviews]
  verbs: [create]
{{- if eq .Values.rbac.scope "cluster" }}
- apiGroups: ['']
  resources: [namespaces, nodes]
  verbs: [get, list, watch]
{{- end }}
{{- if .Values.crds.upgrade }}
- apiGroups: [apiextensions.k8s.io]
  resources: [customresourcedefinitions]
  verbs: [create]
- apiGroups: [apiextensions.k8s.io]
  resources: [customresourcedefinitions]
  resourceNames:
    - fleets.flotilla.dev
    - podmonitors.monitoring.coreos.com
    - probes.monitoring.coreos.com
    - prometheusrules.monitoring.coreos.com
    - scrapeconfigs.monitoring.coreos.com
    - servicemonitors.monitoring.coreos.com
  verbs: [get, patch]
{{- end }}
{{- end -}}

{{- /* What it does in its own namespace: the Fleet and all that is made for it. */ -}}
{{- define "flotilla.ownRules" -}}
- apiGroups: [flotilla.dev]
  resources: [fleets/status]
  verbs: [patch, update]
# Where the API server enforces permissions of owners, as OpenShift's does: objects name the Fleet as theirs.
- apiGroups: [flotilla.dev]
  resources: [fleets/finalizers]
  verbs: [update]
- apiGroups: [apps]
  resources: [statefulsets, deployments]
  verbs: [get, list, watch, create, patch, update, delete]
- apiGroups: ['']
  resources: [services, configmaps, secrets]
  verbs: [get, list, watch, create, patch, update, delete]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, list, watch, create, patch, update, delete]
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies]
  verbs: [get, list, watch, create, patch, update, delete]
- apiGroups: ['']
  resources: [persistentvolumeclaims]
  verbs: [get, list, watch, patch, delete]
# An annotation makes the kubelet bring a mounted ConfigMap up to date at once.
- apiGroups: ['']
  resources: [pods]
  verbs: [get, list, watch, patch]
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [get, create, update]
{{- end -}}
