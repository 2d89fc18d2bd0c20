{{/* What cannot work is said before anything is changed, with what to do. */}}

{{- define "mailstream.checks" -}}
{{- $config := include "mailstream.config" . | fromJson -}}
{{- $secrets := include "mailstream.secrets" . | fromJson -}}
{{- range $variable, $value := $config -}}
{{- if not (include "mailstream.readersOf" (list $ $variable) | fromJsonArray) -}}
{{- fail (printf "config.%s: no service reads it; the variables are in .env.example" $variable) -}}
{{- end -}}
{{- if regexMatch "(_SECRET|_KMS_TOKEN|_SEED|DATABASE_URL|_HEADERS)$|^MAILSTREAM_(JWT_)?KEY$" $variable -}}
{{- fail (printf "config.%s holds a secret: put it into a Secret, and say `secrets.%s: {}`" $variable $variable) -}}
{{- end -}}
{{- if hasKey $secrets $variable -}}
{{- fail (printf "%s is in `config` and in `secrets`: take one away" $variable) -}}
{{- end -}}
{{- if regexMatch "^[a-z]+://[^/]*@" $value -}}
{{- fail (printf "config.%s has credentials in its address: put it into a Secret, and say `secrets.%s: {}`" $variable $variable) -}}
{{- end -}}
{{- end -}}
{{- range $variable, $from := $secrets -}}
{{- if not (include "mailstream.readersOf" (list $ $variable) | fromJsonArray) -}}
{{- fail (printf "secrets.%s: no service reads it; the variables are in .env.example" $variable) -}}
{{- end -}}
{{- end -}}
{{- if not (or .Values.firstTry.nats.enabled (hasKey $config "NATS_URL") (hasKey $secrets "NATS_URL")) -}}
{{- fail "config.NATS_URL is missing: where NATS is, such as tls://nats.nats.svc:4222 (to try Mailstream: firstTry.nats.enabled)" -}}
{{- end -}}
{{- if and .Values.firstTry.nats.enabled (hasKey $config "NATS_URL") -}}
{{- fail "config.NATS_URL names a NATS, and firstTry.nats.enabled makes one: take one away" -}}
{{- end -}}
{{- if not (hasKey $secrets "DATABASE_URL") -}}
{{- fail "secrets.DATABASE_URL is missing: `{}` when it is a key of existingSecret" -}}
{{- end -}}
{{- if ne (hasKey $secrets "API_DATABASE_URL") (hasKey $secrets "MIGRATION_DATABASE_URL") -}}
{{- fail "API_DATABASE_URL and MIGRATION_DATABASE_URL belong together: name both under `secrets`, or neither (then DATABASE_URL is the owner's)" -}}
{{- end -}}
{{- if not (or (hasKey $secrets "MAILSTREAM_KEY_FILE") (hasKey $secrets "MAILSTREAM_KEY") (hasKey $config "MAILSTREAM_KMS_URL")) -}}
{{- fail "credentials are sealed with secrets.MAILSTREAM_KEY_FILE, secrets.MAILSTREAM_KEY or config.MAILSTREAM_KMS_URL: say one of them" -}}
{{- end -}}
{{- $callers := list -}}
{{- range list "MAILSTREAM_JWT_KEY_FILE" "MAILSTREAM_JWT_KEY" "MAILSTREAM_JWT_JWKS_URL" -}}
{{- if or (hasKey $secrets .) (hasKey $config .) -}}{{- $callers = append $callers . -}}{{- end -}}
{{- end -}}
{{- if ne (len $callers) 1 -}}
{{- fail "callers are recognised by one of config.MAILSTREAM_JWT_JWKS_URL (an identity provider) and secrets.MAILSTREAM_JWT_KEY_FILE (a secret of your own): say exactly one" -}}
{{- end -}}
{{- if and .Values.keda.enabled (not .Values.keda.natsMonitoring) -}}
{{- fail "keda.natsMonitoring is missing: host and port of NATS' monitoring, such as nats-headless.nats.svc.cluster.local:8222" -}}
{{- end -}}
{{- end -}}
