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
{{- include "chatapp.validation.config" (dict "root" . "routes" $routes) }}
{{- include "chatapp.validation.hosts" . }}
{{- end }}

{{/* The runtime files are served by the port of route web, under <its path>/config/: no other port may answer there. */}}
{{- define "chatapp.validation.config" -}}
{{- $files := .root.Values.runtimeConfig.files }}
{{- $web := get .root.Values.ingress.paths "web" }}
{{- $folder := printf "%s/config" ($web | trimSuffix "/") }}
{{- $served := regexMatch "/config/[^/]+(,|$)" (printf "%s,%s" $files.js $files.json) }}
{{- $webPort := "" }}
{{- range .routes }}{{ if eq .route "web" }}{{ $webPort = .port }}{{ end }}{{ end }}
{{- range .routes }}
{{- $covers := or (eq .path $folder) (hasPrefix (print $folder "/") .path) }}
{{- if and $web $served $covers (ne .port $webPort) $.root.Values.runtimeConfig.enabled }}
- ingress.paths.{{ .route }}: {{ .path }} covers {{ $folder }}/, where the web port serves the runtime configuration; choose another path.
{{- end }}
{{- end }}
{{- end }}

{{- define "chatapp.validation.hosts" -}}
{{- $hosts := include "chatapp.hosts" . | fromJsonArray }}
{{- $secure := list }}
{{- range include "chatapp.tls" . | fromJsonArray }}{{ $secure = concat $secure .hosts }}{{ end }}
{{- $label := "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?" }}
{{- range $host := concat $hosts $secure | uniq }}
{{- $named := regexMatch (printf `^(\*\.)?%s(\.%s)*$` $label $label) $host }}
{{- if or (not $named) (regexMatch "^[0-9.]+$" $host) (gt (len $host) 253) }}
- {{ has $host $hosts | ternary "ingress.hosts" "ingress.tls" }}: {{ quote $host }} is no host name; write a name alone and in lower case, without scheme, port, path or IP address.
{{- end }}
{{- end }}
{{- if ne (len $hosts) (len (uniq $hosts)) }}
- ingress.hosts: {{ join ", " $hosts }} has one name twice; keep it once.
{{- end }}
{{- end }}
