{{/*
Mistakes that the schema cannot see. Every helper here and in the other _validation files gives one line per mistake,
"- key: reason; way out.", or nothing; zz-validation/validation.yaml collects them.
*/}}

{{/* Names in a map that must be known: (list "portEnv" .Values.portEnv "port" <known names>). */}}
{{- define "chatapp.validation.names" -}}
{{- $key := index . 0 }}
{{- $kind := index . 2 }}
{{- $known := index . 3 | sortAlpha }}
{{- range $name, $_ := index . 1 }}
{{- if not (has $name $known) }}
- {{ $key }}.{{ $name }}: there is no {{ $kind }} {{ $name }}; the {{ $kind }}s are {{ join ", " $known | default "none" }}.
{{- end }}
{{- end }}
{{- end }}

{{/* Values in a map that must differ, empty ones aside: (list "ports" .Values.ports). */}}
{{- define "chatapp.validation.unique" -}}
{{- $key := first . }}
{{- $seen := dict }}
{{- range $name, $value := last . }}
{{- with $value }}
{{- $value = toString . }}
{{- if hasKey $seen $value }}
- {{ $key }}: {{ get $seen $value }} and {{ $name }} are both {{ $value }}; give each its own.
{{- end }}
{{- $_ := set $seen $value $name }}
{{- end }}
{{- end }}
{{- end }}

{{- define "chatapp.validation.ports" -}}
{{- $ports := include "chatapp.ports" . | fromJson }}
{{- $own := list "web" "api" "ws" }}
{{- if not $ports }}
- ports: all of them are removed; keep one at least.
{{- end }}
{{- range $name, $_ := $ports }}
{{- if gt (len $name) 15 }}
- ports.{{ $name }}: a port's name has 15 characters at most; shorten it.
{{- end }}
{{- end }}
{{- include "chatapp.validation.unique" (list "ports" $ports) }}
{{- include "chatapp.validation.unique" (list "service.ports" (include "chatapp.service.ports" . | fromJson)) }}
{{- $names := keys .Values.ports }}
{{- include "chatapp.validation.names" (list "service.ports" .Values.service.ports "port" $names) }}
{{- include "chatapp.validation.names" (list "service.appProtocol" .Values.service.appProtocol "port" $names) }}
{{- /* A variable of the chart's own for a port that was removed by null is no mistake. */}}
{{- include "chatapp.validation.names" (list "portEnv" .Values.portEnv "port" (concat $names $own | uniq)) }}
{{- range $probe, $settings := .Values.probes }}
{{- if and $settings.enabled (not $settings.command) (not (hasKey $ports $settings.port)) }}
- probes.{{ $probe }}.port: there is no port {{ $settings.port }}; name one of {{ keys $ports | sortAlpha | join ", " }}, or set enabled to false.
{{- end }}
{{- end }}
{{- end }}

{{- define "chatapp.validation.release" -}}
{{- $values := .Values }}
{{- $name := include "chatapp.fullname" . }}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" $name) }}
- fullnameOverride: {{ $name }} cannot name a Service, which begins with a letter and has letters, digits and "-" only; set a name that does.
{{- end }}
{{- $needed := int (add .Values.preStopSleepSeconds .Values.websocket.drainSeconds) }}
{{- $grace := int .Values.terminationGracePeriodSeconds }}
{{- if and $grace (lt $grace $needed) }}
- terminationGracePeriodSeconds: {{ $grace }} ends before preStopSleepSeconds + websocket.drainSeconds = {{ $needed }}; set {{ $needed }} or more, or 0.
{{- end }}
{{- range $key := list "commonLabels" "podLabels" }}
{{- range $label := list "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/component" }}
{{- if hasKey (get $values $key) $label }}
- {{ $key }}: {{ $label }} tells which pods are the release's own; leave it out.
{{- end }}
{{- end }}
{{- end }}
{{- $test := include "chatapp.tests.target" . | fromJson }}
{{- if and .Values.tests.path (not $test.port) }}
- tests.path: there is no port {{ $test.portName }} to ask; add ports.{{ $test.portName }}, or set tests.path to "".
{{- end }}
{{- include "chatapp.validation.image" (list "image" .Values.image) }}
{{- include "chatapp.validation.image" (list "tests.image" .Values.tests.image) }}
{{- end }}

{{/* An image that names its registry twice: (list "image" .Values.image). */}}
{{- define "chatapp.validation.image" -}}
{{- $image := last . }}
{{- if and $image.registry (regexMatch "^([^/]*[.:][^/]*|localhost)/" $image.repository) }}
- {{ first . }}.registry: {{ $image.repository }} begins with a registry already; take it off there, or set {{ first . }}.registry to "".
{{- end }}
{{- end }}
