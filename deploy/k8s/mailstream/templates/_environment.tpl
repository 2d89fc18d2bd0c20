{{/* Which variables a service gets. What it reads is in files/variables.json, which a test compares with the services. */}}

{{/* Who reads a variable; OpenTelemetry's are read by its packages in all four: (list $ "NATS_URL"), as JSON. */}}
{{- define "mailstream.readersOf" -}}
{{- if hasPrefix "OTEL_" (last .) -}}["gateway","orchestrator","fetcher","projector"]
{{- else -}}
{{- $readers := (first .).Files.Get "files/variables.json" | fromJson -}}
{{- index $readers (last .) | default list | toJson -}}
{{- end -}}
{{- end -}}

{{/* The configuration without what was taken away by null: as JSON. */}}
{{- define "mailstream.config" -}}
{{- $config := dict -}}
{{- range $variable, $value := .Values.config -}}
{{- if not (kindIs "invalid" $value) -}}{{- $_ := set $config $variable (include "mailstream.text" $value) -}}{{- end -}}
{{- end -}}
{{- $config | toJson -}}
{{- end -}}

{{/* YAML makes numbers and truths of what people write. */}}
{{- define "mailstream.text" -}}
{{- if kindIs "bool" . -}}{{ ternary "yes" "no" . }}
{{- else if kindIs "float64" . -}}{{ int64 . }}
{{- else -}}{{ . }}
{{- end -}}
{{- end -}}

{{/* Secrets there are, by variable, each with the Secret's name and key: as JSON. */}}
{{- define "mailstream.secrets" -}}
{{- $secrets := dict -}}
{{- range $variable, $from := .Values.secrets -}}
{{- if not (kindIs "invalid" $from) -}}
{{- $_ := set $secrets $variable (dict "name" (default $.Values.existingSecret $from.name) "key" (default $variable $from.key)) -}}
{{- end -}}
{{- end -}}
{{- if .Values.firstTry.postgresql.enabled -}}
{{- $secrets = omit $secrets "API_DATABASE_URL" "MIGRATION_DATABASE_URL" -}}
{{- end -}}
{{- $secrets | toJson -}}
{{- end -}}

{{/* The secrets of one service: (list $ "gateway"), as JSON. */}}
{{- define "mailstream.secretsOf" -}}
{{- $root := first . -}}
{{- $service := last . -}}
{{- $own := dict -}}
{{- range $variable, $from := include "mailstream.secrets" $root | fromJson -}}
{{- if has $service (include "mailstream.readersOf" (list $root $variable) | fromJsonArray) -}}{{- $_ := set $own $variable $from -}}{{- end -}}
{{- end -}}
{{- $own | toJson -}}
{{- end -}}

{{- define "mailstream.isFile" -}}
{{- if or (hasSuffix "_FILE" .) (eq . "NODE_EXTRA_CA_CERTS") -}}yes{{- end -}}
{{- end -}}

{{/* (list $ "gateway") */}}
{{- define "mailstream.environment" -}}
{{- $root := first . -}}
{{- $service := last . -}}
{{- range $variable, $value := include "mailstream.config" $root | fromJson }}
{{- if has $service (include "mailstream.readersOf" (list $root $variable) | fromJsonArray) }}
- name: {{ $variable }}
  value: {{ quote $value }}
{{- end }}
{{- end }}
{{- range $variable, $from := include "mailstream.secretsOf" . | fromJson }}
- name: {{ $variable }}
  {{- if include "mailstream.isFile" $variable }}
  value: /etc/mailstream/secrets/{{ $variable }}
  {{- else }}
  valueFrom:
    secretKeyRef: { name: {{ $from.name }}, key: {{ $from.key }} }
  {{- end }}
{{- end }}
{{- end -}}

{{/* The volume with the files among a service's secrets; nothing when there are none: (list $ "gateway"). */}}
{{- define "mailstream.secretFiles" -}}
{{- $sources := list -}}
{{- range $variable, $from := include "mailstream.secretsOf" . | fromJson -}}
{{- if include "mailstream.isFile" $variable -}}
{{- $item := dict "key" $from.key "path" $variable -}}
{{- $sources = append $sources (dict "secret" (dict "name" $from.name "items" (list $item))) -}}
{{- end -}}
{{- end -}}
{{- with $sources }}
- name: secrets
  projected:
    defaultMode: 0440
    sources:
      {{- toYaml . | nindent 6 }}
{{- end }}
{{- end -}}
