{{/* Pieces of network policies. */}}

{{/* Anybody when no peer is named: (dict "peers" … "ports" (list 443) "direction" "to"). */}}
{{- define "mailstream.rule" -}}
- ports:
    {{- range .ports }}
    - { protocol: TCP, port: {{ . }} }
    {{- end }}
  {{- with .peers }}
  {{ $.direction }}:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{/* One of our own: (list $ "gateway"). */}}
{{- define "mailstream.peer" -}}
- podSelector:
    matchLabels:
      {{- include "mailstream.selector" . | nindent 6 }}
{{- end -}}

{{/* The internet without private networks, but those that config.MAILSTREAM_PRIVATE_HOSTS lets services reach: (list $ (list 443)). */}}
{{- define "mailstream.internet" -}}
{{- $config := include "mailstream.config" (first .) | fromJson -}}
{{- $hosts := index $config "MAILSTREAM_PRIVATE_HOSTS" | default "deny" -}}
{{- $peers := list -}}
{{- if eq $hosts "allow" -}}
{{- $peers = list (dict "ipBlock" (dict "cidr" "0.0.0.0/0")) (dict "ipBlock" (dict "cidr" "::/0")) -}}
{{- else -}}
{{- $private := list "0.0.0.0/8" "10.0.0.0/8" "100.64.0.0/10" "127.0.0.0/8" "169.254.0.0/16" "172.16.0.0/12" "192.0.0.0/24" "192.168.0.0/16" "198.18.0.0/15" "224.0.0.0/4" "240.0.0.0/4" -}}
{{- $peers = list (dict "ipBlock" (dict "cidr" "0.0.0.0/0" "except" $private)) (dict "ipBlock" (dict "cidr" "2000::/3")) -}}
{{- if ne $hosts "deny" -}}
{{- range splitList "," $hosts -}}
{{- $network := trim . -}}
{{- if not (contains "/" $network) -}}{{- $network = printf "%s/%s" $network (ternary "128" "32" (contains ":" $network)) -}}{{- end -}}
{{- $peers = append $peers (dict "ipBlock" (dict "cidr" $network)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- include "mailstream.rule" (dict "direction" "to" "peers" $peers "ports" (last .)) -}}
{{- end -}}

{{/* Whether a service asks anybody on the internet: (list $ "gateway"). */}}
{{- define "mailstream.needsInternet" -}}
{{- $config := include "mailstream.config" (first .) | fromJson -}}
{{- if or (has (last .) (list "orchestrator" "fetcher")) (hasKey $config "MAILSTREAM_JWT_JWKS_URL") -}}yes
{{- else if eq (last .) "gateway" -}}
{{- if or (hasKey $config "GOOGLE_PUBSUB_SUBSCRIPTION") (hasKey $config "GOOGLE_PUSH_SERVICE_ACCOUNT") (hasPrefix "https:" (index $config "MAILSTREAM_WEBHOOK_SOURCES" | default "")) -}}yes{{- end -}}
{{- end -}}
{{- end -}}

{{/* The port of an address. */}}
{{- define "mailstream.portOf" -}}
{{- $url := urlParse . -}}
{{- regexFind ":[0-9]+$" $url.host | trimPrefix ":" | default (ternary 443 80 (eq $url.scheme "https")) -}}
{{- end -}}

{{- define "mailstream.dns" -}}
- ports:
    - { protocol: UDP, port: 53 }
    - { protocol: TCP, port: 53 }
  {{- with .Values.networkPolicy.dns }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{/* Where a server is: ours of the first try, else who is named: (list $ "nats"). */}}
{{- define "mailstream.server" -}}
{{- $root := first . -}}
{{- $server := last . -}}
{{- $policy := index $root.Values.networkPolicy $server -}}
{{- $peers := $policy.peers -}}
{{- if (index $root.Values.firstTry $server).enabled -}}{{- $peers = include "mailstream.peer" . | fromYamlArray -}}{{- end -}}
{{- include "mailstream.rule" (dict "direction" "to" "peers" $peers "ports" (list $policy.port)) -}}
{{- end }}
