{{/* What the front end gets, as JSON. An endpoint is the route's path unless runtimeConfig.endpoints says otherwise. */}}
{{- define "chatapp.runtime.config" -}}
{{- $runtime := .Values.runtimeConfig }}
{{- $endpoints := dict }}
{{- range $route, $path := .Values.ingress.paths }}
{{- with get $runtime.endpoints $route | default $path }}{{ $_ := set $endpoints $route . }}{{ end }}
{{- end }}
{{- $env := dict }}
{{- range $variable, $route := $runtime.env }}
{{- with get $endpoints $route }}{{ $_ := set $env $variable . }}{{ end }}
{{- end }}
{{- dict "endpoints" $endpoints "env" $env "extra" $runtime.extra | toJson }}
{{- end }}

{{/*
The files to mount, {name: content} as JSON: the ConfigMap's data, and what the pods' hash is taken of.
JSON inside the script is safe: toPrettyJson escapes <, >, & and the line separators that end a JavaScript string.
*/}}
{{- define "chatapp.runtime.files" -}}
{{- $runtime := .Values.runtimeConfig }}
{{- $config := include "chatapp.runtime.config" . | fromJson }}
{{- $files := dict }}
{{- if and $runtime.enabled $runtime.files.js }}
{{- $settings := merge (dict "globalName" $runtime.globalName "polyfill" $runtime.polyfill) $config }}
{{- $script := .Files.Get "files/runtime-config.js" | replace "__CONFIG__" (toPrettyJson $settings) }}
{{- $_ := set $files "runtime.js" $script }}
{{- end }}
{{- if and $runtime.enabled $runtime.files.json }}
{{- $_ := set $files "runtime.json" (print (toPrettyJson $config) "\n") }}
{{- end }}
{{- if and $runtime.enabled $runtime.files.env }}
{{- $lines := "" }}
{{- range $variable, $endpoint := $config.env }}{{ $lines = printf "%s%s=%s\n" $lines $variable $endpoint }}{{ end }}
{{- $_ := set $files "runtime.env" $lines }}
{{- end }}
{{- toJson $files }}
{{- end }}
