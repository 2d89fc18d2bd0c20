{{/* Names, labels and images. */}}

{{- define "mailstream.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* (list $ "gateway") */}}
{{- define "mailstream.componentName" -}}
{{- printf "%s-%s" (include "mailstream.fullname" (first .)) (last .) -}}
{{- end -}}

{{/* Which pods are whose: (list $ "gateway"). These never change. */}}
{{- define "mailstream.selector" -}}
{{- $root := first . -}}
app.kubernetes.io/name: {{ default $root.Chart.Name $root.Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ last . }}
{{- end -}}

{{/* (list $ "gateway") */}}
{{- define "mailstream.labels" -}}
{{- $root := first . -}}
{{ include "mailstream.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name ($root.Chart.Version | replace "+" "_") }}
{{- with $root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* (list $ "nats:2.15") */}}
{{- define "mailstream.withRegistry" -}}
{{- $root := first . -}}
{{- with $root.Values.global.imageRegistry -}}{{ trimSuffix "/" . }}/{{- end -}}{{ last . }}
{{- end -}}

{{- define "mailstream.image" -}}
{{- $image := .Values.image -}}
{{- $reference := printf "%s:%s" $image.repository (default .Chart.AppVersion $image.tag) -}}
{{- if $image.digest -}}{{- $reference = printf "%s@%s" $image.repository $image.digest -}}{{- end -}}
{{- include "mailstream.withRegistry" (list . $reference) -}}
{{- end -}}

{{/* What is said of a service, over what is said of all: (list $ "gateway"), as JSON. */}}
{{- define "mailstream.settings" -}}
{{- $root := first . -}}
{{- mergeOverwrite (deepCopy $root.Values.defaults) (deepCopy (index $root.Values (last .))) | toJson -}}
{{- end -}}
