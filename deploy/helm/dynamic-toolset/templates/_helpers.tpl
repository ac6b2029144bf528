{{- define "dynamic-toolset.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* Name of the objects in the release's namespace. */}}
{{- define "dynamic-toolset.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* Name of the objects outside it: with the namespace, since other releases have theirs there, too. */}}
{{- define "dynamic-toolset.outerName" -}}
{{- printf "%s-%s" (include "dynamic-toolset.fullname" .) .Release.Namespace }}
{{- end }}

{{- define "dynamic-toolset.selectorLabels" -}}
app.kubernetes.io/name: {{ include "dynamic-toolset.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "dynamic-toolset.labels" -}}
{{ include "dynamic-toolset.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "dynamic-toolset.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "dynamic-toolset.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{/* The subject of each binding. */}}
{{- define "dynamic-toolset.subjects" -}}
- kind: ServiceAccount
  name: {{ include "dynamic-toolset.serviceAccountName" . }}
  namespace: {{ .Release.Namespace }}
{{- end }}

{{/* The namespace that is published to; settings and Lease are there, too. */}}
{{- define "dynamic-toolset.target" -}}
{{- default .Release.Namespace .Values.settings.configMapNamespace }}
{{- end }}

{{- define "dynamic-toolset.settingsName" -}}
{{- printf "%s-config" (include "dynamic-toolset.fullname" .) }}
{{- end }}

{{- define "dynamic-toolset.leaseName" -}}
{{- default (include "dynamic-toolset.fullname" .) .Values.settings.leaseName }}
{{- end }}

{{/* "true" where every namespace is watched. */}}
{{- define "dynamic-toolset.everywhere" -}}
{{- if has "*" .Values.settings.namespaces }}true{{ end }}
{{- end }}

{{/* A duration in seconds, rounded up. */}}
{{- define "dynamic-toolset.seconds" -}}
{{- $total := 0 }}
{{- range regexFindAll "[0-9]+(ms|h|m|s)" . -1 }}
{{- $count := regexFind "^[0-9]+" . | int }}
{{- $unit := regexFind "[a-z]+$" . }}
{{- $total = add $total (mul $count (get (dict "ms" 1 "s" 1000 "m" 60000 "h" 3600000) $unit)) }}
{{- end }}
{{- div (add $total 999) 1000 }}
{{- end }}

{{/* Values that make no sense together. */}}
{{- define "dynamic-toolset.check" -}}
{{- $settings := .Values.settings }}
{{- if and (gt (int .Values.replicas) 1) (not $settings.leaderElection) }}
{{- fail "replicas: more than one needs settings.leaderElection, or all of them write" }}
{{- end }}
{{- if and $settings.holmesgptConfigMap (not .Values.holmesgpt.configMapName) }}
{{- fail "settings.holmesgptConfigMap needs holmesgpt.configMapName, for the rights to that ConfigMap" }}
{{- end }}
{{- if and (or $settings.holmesgptConfigMap (eq $settings.holmesgptReload "restart")) (not $settings.holmesgptDeployment) }}
{{- fail "settings.holmesgptConfigMap and settings.holmesgptReload=restart need settings.holmesgptDeployment" }}
{{- end }}
{{- if and $settings.holmesgptDeployment (not $settings.holmesgptConfigMap) (ne $settings.holmesgptReload "restart") }}
{{- fail "settings.holmesgptDeployment alone does nothing: set settings.holmesgptConfigMap or settings.holmesgptReload=restart" }}
{{- end }}
{{- if ne (eq $settings.holmesgptReload "endpoint") (not (empty $settings.holmesgptUrl)) }}
{{- fail "settings.holmesgptReload=endpoint and settings.holmesgptUrl need each other" }}
{{- end }}
{{- if and .Values.tls.clientCaConfigMap (not .Values.tls.secretName) }}
{{- fail "tls.clientCaConfigMap needs tls.secretName" }}
{{- end }}
{{- if .Values.rbac.create }}
{{- include "dynamic-toolset.checkNamespaces" . }}
{{- end }}
{{- end }}

{{/*
Namespaces that get a Role but are not there. Helm would notice halfway, and leave a failed release. Only a cluster can
say, and not `helm template`: "default" is in each.
*/}}
{{- define "dynamic-toolset.checkNamespaces" -}}
{{- if lookup "v1" "Namespace" "" "default" }}
{{- if not (include "dynamic-toolset.everywhere" .) }}
{{- range .Values.settings.namespaces | uniq }}
{{- if and (ne . $.Release.Namespace) (not (lookup "v1" "Namespace" "" .)) }}
{{- fail (printf "settings.namespaces: there is no namespace %s, and the program needs a Role in it. Create it first (kubectl create namespace %s), or name others: --set 'settings.namespaces={a,b}', or {*} for all" . .) }}
{{- end }}
{{- end }}
{{- end }}
{{- $target := include "dynamic-toolset.target" . }}
{{- if and (ne $target .Release.Namespace) (not (lookup "v1" "Namespace" "" $target)) }}
{{- fail (printf "settings.configMapNamespace: there is no namespace %s. Create it first (kubectl create namespace %s), or name another; without it the release's is used" $target $target) }}
{{- end }}
{{- with .Values.settings.holmesgptDeployment }}
{{- $namespace := first (splitList "/" .) }}
{{- if and (ne $namespace $.Release.Namespace) (not (lookup "v1" "Namespace" "" $namespace)) }}
{{- fail (printf "settings.holmesgptDeployment: there is no namespace %s. Install HolmesGPT first, or name its namespace" $namespace) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
