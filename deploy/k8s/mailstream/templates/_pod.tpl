{{/* What all our pods have in common. */}}

{{- define "mailstream.podBasics" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.global.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* The user of the image, or the one that is given: (list $ 999). */}}
{{- define "mailstream.podSecurity" -}}
securityContext:
  runAsNonRoot: true
  runAsUser: {{ last . }}
  runAsGroup: {{ last . }}
  fsGroup: {{ last . }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{- define "mailstream.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
{{- end -}}

{{/* Where a pod may run, by the settings of a service. */}}
{{- define "mailstream.placement" -}}
{{- range $field := list "priorityClassName" "nodeSelector" "tolerations" "affinity" }}
{{- with index $ $field }}
{{ $field }}: {{ toJson . }}
{{- end }}
{{- end }}
{{- end -}}

{{/* A container of our image that ends by itself: (list $ "migrate"). */}}
{{- define "mailstream.shortResources" -}}
resources:
  requests: { cpu: 50m, memory: 128Mi }
  limits: { memory: 512Mi }
{{- end -}}
