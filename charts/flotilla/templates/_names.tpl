{{- /* Names, labels and the parts that several objects share. */ -}}

{{- define "flotilla.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- /* Short enough for the suffixes that objects get. */ -}}
{{- define "flotilla.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "flotilla.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* Of objects without a namespace: two releases of one name in two namespaces must not share them. */ -}}
{{- define "flotilla.clusterName" -}}
{{- printf "%s-%s" (include "flotilla.fullname" .) .Release.Namespace -}}
{{- end -}}

{{- /* Labels of an object. Argument: [context, component]. */ -}}
{{- define "flotilla.labels" -}}
{{- $context := index . 0 -}}
{{- include "flotilla.selectorLabels" . }}
app.kubernetes.io/version: {{ $context.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $context.Release.Service }}
app.kubernetes.io/part-of: flotilla
helm.sh/chart: {{ printf "%s-%s" $context.Chart.Name $context.Chart.Version | replace "+" "_" }}
{{- with $context.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* What never changes between upgrades. Argument: [context, component]. */ -}}
{{- define "flotilla.selectorLabels" -}}
app.kubernetes.io/name: flotilla
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "flotilla.image" -}}
{{- $registry := .Values.global.imageRegistry | default .Values.image.registry -}}
{{- $name := empty $registry | ternary .Values.image.repository (printf "%s/%s" $registry .Values.image.repository) -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" $name .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" $name (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{- /* Argument: [context, component]. */ -}}
{{- define "flotilla.serviceAccountName" -}}
{{- $context := index . 0 -}}
{{- (index $context.Values.serviceAccounts (index . 1)).name | default (printf "%s-%s" (include "flotilla.fullname" $context) (index . 1)) -}}
{{- end -}}

{{- define "flotilla.querierService" -}}
{{- printf "querier-%s" .Values.fleet.name -}}
{{- end -}}

{{- define "flotilla.querierUrl" -}}
{{- printf "http://%s.%s.svc:9090" (include "flotilla.querierService" .) .Release.Namespace -}}
{{- end -}}

{{- /* Namespaces that are watched, as a JSON list; [] is the whole cluster. */ -}}
{{- define "flotilla.namespaces" -}}
{{- if eq .Values.rbac.scope "namespaced" -}}
{{- prepend .Values.rbac.namespaces .Release.Namespace | uniq | sortAlpha | toJson -}}
{{- else -}}
[]
{{- end -}}
{{- end -}}

{{- define "flotilla.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 1000
runAsGroup: 1000
fsGroup: 1000
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "flotilla.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{- /* "true" if the monitor is wanted and what it selects is watched. Argument: [context, component of controlPlane]. */ -}}
{{- define "flotilla.monitors" -}}
{{- $controlPlane := (index . 0).Values.controlPlane -}}
{{- $everywhere := list "kubelet" "cadvisor" "apiServer" -}}
{{- $reachable := dict
      "generic" (append $everywhere "coreDns")
      "kubeadm" (concat $everywhere (list "coreDns" "controllerManager" "scheduler"))
      "eks" (append $everywhere "coreDns")
      "aks" (append $everywhere "coreDns")
      "gke" $everywhere
      "k3s" (append $everywhere "coreDns")
      "none" list -}}
{{- $wanted := has (index . 1) (index $reachable $controlPlane.provider) -}}
{{- $own := dig (index . 1) "enabled" "" $controlPlane -}}
{{- if and (kindIs "bool" $own) (ne $controlPlane.provider "none") -}}
{{- $wanted = $own -}}
{{- end -}}
{{- $places := dict "apiServer" "default" "coreDns" "kube-system" "controllerManager" "kube-system" "scheduler" "kube-system" -}}
{{- $watched := include "flotilla.namespaces" (index . 0) | fromJsonArray -}}
{{- if and $wanted (or (not $watched) (has (get $places (index . 1)) $watched)) -}}
true
{{- end -}}
{{- end -}}
