{{/* The shared store: "embedded", "external", or nothing. */}}
{{- define "chatapp.store" -}}
{{- $external := .Values.valkey.external.host | empty | ternary "" "external" }}
{{- .Values.valkey.enabled | ternary "embedded" $external }}
{{- end }}

{{/* What the embedded store's objects are called; a StatefulSet's name has 52 characters at most, for its pods' labels. */}}
{{- define "chatapp.store.name" -}}
{{- printf "%s-valkey" (include "chatapp.name.short" (list (include "chatapp.fullname.uncut" .) 45)) }}
{{- end }}

{{/*
The store's URL around a password: (list . <user's part of a URL>). The scheme is redis, which every client of Valkey
takes, and says whether TLS is on.
*/}}
{{- define "chatapp.store.url" -}}
{{- $external := (first .).Values.valkey.external }}
{{- if eq (include "chatapp.store" (first .)) "embedded" -}}
redis://{{ last . }}{{ include "chatapp.store.name" (first .) }}:6379/0
{{- else -}}
{{ $external.tls.enabled | ternary "rediss" "redis" }}://{{ last . }}{{ $external.host }}:{{ $external.port }}/{{ $external.database }}
{{- end }}
{{- end }}

{{/* User and password as a URL has them, with "@" behind; nothing without either: (list . "hunter2"). */}}
{{- define "chatapp.store.user" -}}
{{- $name := eq (include "chatapp.store" (first .)) "external" | ternary (first .).Values.valkey.external.username "" }}
{{- if or $name (last .) }}{{ urlquery $name | replace "+" "%20" }}:{{ last . }}@{{ end }}
{{- end }}

{{/*
The chart's own Secret, as JSON: the URL, and the password by itself for the embedded store. Empty where there is no
store, or where a Secret of the user's has it all.
*/}}
{{- define "chatapp.store.secret" -}}
{{- $auth := .Values.valkey.auth }}
{{- $data := dict }}
{{- if and (include "chatapp.store" .) (not $auth.existingSecret) }}
{{- $user := include "chatapp.store.user" (list . ($auth.password | urlquery | replace "+" "%20")) }}
{{- $_ := set $data "url" (include "chatapp.store.url" (list . $user)) }}
{{- with $auth.password }}{{ $_ := set $data "password" . }}{{ end }}
{{- end }}
{{- toJson $data }}
{{- end }}

{{/* Where the password is: the name and key of a Secret, as JSON. */}}
{{- define "chatapp.store.password" -}}
{{- $auth := .Values.valkey.auth }}
{{- $own := include "chatapp.store.name" . }}
{{- $key := $auth.existingSecret | empty | ternary "password" $auth.passwordKey }}
{{- dict "name" ($auth.existingSecret | default $own) "key" $key | toJson }}
{{- end }}

{{/*
Four characters of the hash of the chart's own Secret, so that a new password rolls the pods. More would let somebody
who may see pods try passwords.
*/}}
{{- define "chatapp.store.checksum" -}}
{{- with include "chatapp.store.secret" . | fromJson }}{{ toJson . | sha256sum | trunc 4 }}{{ end }}
{{- end }}

{{/*
The app's variables for the store, as a JSON array. The URL comes whole from a Secret; where the user's Secret has but
the password, Kubernetes puts that in: $(NAME) is replaced in the pod and nowhere else.
*/}}
{{- define "chatapp.store.env" -}}
{{- $valkey := .Values.valkey }}
{{- $env := list }}
{{- if include "chatapp.store" . }}
{{- $secret := include "chatapp.store.password" . | fromJson }}
{{- if and $valkey.auth.existingSecret (not $valkey.auth.urlKey) }}
{{- $user := include "chatapp.store.user" (list . (printf "$(%s)" $valkey.env.password)) }}
{{- $env = append $env (dict "name" $valkey.env.password "valueFrom" (dict "secretKeyRef" $secret)) }}
{{- $env = append $env (dict "name" $valkey.env.url "value" (include "chatapp.store.url" (list . $user))) }}
{{- else }}
{{- $source := dict "name" $secret.name "key" ($valkey.auth.existingSecret | empty | ternary "url" $valkey.auth.urlKey) }}
{{- $env = append $env (dict "name" $valkey.env.url "valueFrom" (dict "secretKeyRef" $source)) }}
{{- end }}
{{- with include "chatapp.store.ca" . }}
{{- $env = append $env (dict "name" $valkey.env.caFile "value" .) }}
{{- end }}
{{- end }}
{{- toJson $env }}
{{- end }}

{{/* The file with the certificate authority of an external store, where the values name a Secret for it. */}}
{{- define "chatapp.store.ca" -}}
{{- $external := .Values.valkey.external }}
{{- if and (eq (include "chatapp.store" .) "external") $external.tls.enabled $external.tls.caSecret -}}
/etc/valkey-ca/{{ $external.tls.caKey }}
{{- end }}
{{- end }}
