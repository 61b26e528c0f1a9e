{{- define "chatapp.validation.routes" -}}
{{- $ports := include "chatapp.ports" . | fromJson }}
{{- $routes := include "chatapp.routes" . | fromJsonArray }}
{{- $paths := .Values.ingress.paths }}
{{- if and .Values.ingress.enabled (not $routes) }}
- ingress.paths: no route is left; keep one, or set ingress.enabled to false.
{{- end }}
{{- include "chatapp.validation.unique" (list "ingress.paths" $paths) }}
{{- include "chatapp.validation.names" (list "ingress.routes" .Values.ingress.routes "route" (keys $paths)) }}
{{- range $routes }}
{{- if not (hasKey $ports .port) }}
- ingress.paths.{{ .route }}: there is no port {{ .port }}; add ports.{{ .port }}, name another in ingress.routes.{{ .route }}.port, or remove the route with "".
{{- end }}
{{- end }}
{{- include "chatapp.validation.config" (list .Values $routes) }}
{{- include "chatapp.validation.hosts" . }}
{{- end }}

{{/* Route web's port serves the runtime files under <its path>/config/: no other port may answer there. */}}
{{- define "chatapp.validation.config" -}}
{{- $runtime := (first .).runtimeConfig }}
{{- $folder := printf "%s/config" (get (first .).ingress.paths "web" | trimSuffix "/") }}
{{- $inFolder := regexMatch "/config/[^/]+(,|$)" (printf "%s,%s" $runtime.files.js $runtime.files.json) }}
{{- $webPort := "" }}
{{- range last . }}{{ if eq .route "web" }}{{ $webPort = .port }}{{ end }}{{ end }}
{{- range last . }}
{{- $covers := or (eq .path $folder) (hasPrefix (print $folder "/") .path) }}
{{- if and $runtime.enabled $inFolder $webPort $covers (ne .port $webPort) }}
- ingress.paths.{{ .route }}: {{ .path }} covers {{ $folder }}/, where the web port serves the runtime configuration; choose another path.
{{- end }}
{{- end }}
{{- end }}

{{- define "chatapp.validation.hosts" -}}
{{- $hosts := include "chatapp.hosts" . | fromJsonArray }}
{{- $label := "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?" }}
{{- range $host := concat $hosts (include "chatapp.tls.hosts" . | fromJsonArray) | uniq }}
{{- $named := regexMatch (printf `^(\*\.)?%s(\.%s)*$` $label $label) $host }}
{{- if or (not $named) (regexMatch "^[0-9.]+$" $host) (gt (len $host) 253) }}
- {{ has $host $hosts | ternary "ingress.hosts" "ingress.tls" }}: {{ quote $host }} is no host name; write a name alone and in lower case, without scheme, port, path or IP address.
{{- end }}
{{- end }}
{{- if ne (len $hosts) (len (uniq $hosts)) }}
- ingress.hosts: {{ join ", " $hosts }} has one name twice; keep it once.
{{- end }}
{{- end }}
