{{- define "chatapp.validation.routes" -}}
{{- $ports := include "chatapp.ports" . | fromJson }}
{{- $routes := include "chatapp.routes" . | fromJsonArray }}
{{- $paths := .Values.ingress.paths }}
{{- if and (or .Values.ingress.enabled .Values.httpRoute.enabled) (not $routes) }}
- ingress.paths: no route is left; keep one, or set ingress.enabled and httpRoute.enabled to false.
{{- end }}
{{- include "chatapp.validation.unique" (list "ingress.paths" $paths) }}
{{- include "chatapp.validation.names" (list "ingress.routes" .Values.ingress.routes "route" (keys $paths)) }}
{{- range $routes }}
{{- if not (hasKey $ports .port) }}
- ingress.paths.{{ .route }}: there is no port {{ .port }}; {{ if le (len .port) 15 }}add ports.{{ .port }}, {{ end }}name another in ingress.routes.{{ .route }}.port, or remove the route with "".
{{- end }}
{{- end }}
{{- include "chatapp.validation.config" (list .Values $routes) }}
{{- if and .Values.ingress.className (hasKey .Values.ingress.annotations "kubernetes.io/ingress.class") }}
- ingress.className: the annotation kubernetes.io/ingress.class names a class too, and an Ingress takes one; remove the annotation.
{{- end }}
{{- include "chatapp.validation.hosts" . }}
{{- end }}

{{/* Route web's port serves the runtime files under <its path>/config/: it must answer there, and no other port may. */}}
{{- define "chatapp.validation.config" -}}
{{- $runtime := (first .).runtimeConfig }}
{{- $folder := printf "%s/config" (get (first .).ingress.paths "web" | trimSuffix "/") }}
{{- $inFolder := regexMatch "/config/[^/]+(,|$)" (printf "%s,%s" $runtime.files.js $runtime.files.json) }}
{{- $webPort := "" }}
{{- range last . }}{{ if eq .route "web" }}{{ $webPort = .port }}{{ end }}{{ end }}
{{- if and $runtime.enabled $inFolder $webPort }}
{{- $reached := false }}
{{- range last . }}
{{- $exact := eq .pathType "Exact" }}
{{- $below := hasPrefix (print (trimSuffix "/" .path) "/") (print $folder "/") }}
{{- if and (eq .port $webPort) (not $exact) $below }}{{ $reached = true }}{{ end }}
{{- $covers := or (hasPrefix (print $folder "/") .path) (and (eq .path $folder) (not $exact)) }}
{{- if and $covers (ne .port $webPort) }}
- ingress.paths.{{ .route }}: {{ .path }} covers {{ $folder }}/, where the web port serves the runtime configuration; choose another path.
{{- end }}
{{- end }}
{{- if not $reached }}
- ingress.routes.web.pathType: Exact keeps {{ $folder }}/ out, where the web port serves the runtime configuration; leave it at Prefix.
{{- end }}
{{- end }}
{{- end }}

{{- define "chatapp.validation.hosts" -}}
{{- $hosts := include "chatapp.hosts" . | fromJsonArray }}
{{- $label := "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?" }}
{{- $names := include "chatapp.hostnames" . | fromJsonArray }}
{{- $own := concat $hosts (include "chatapp.tls.hosts" . | fromJsonArray) $names | uniq }}
{{- if not .Values.ingress.hosts }}{{ $own = without $own (first $hosts) }}{{ end }}
{{- range $host := $own }}
{{- $named := regexMatch (printf `^(\*\.)?%s(\.%s)*$` $label $label) $host }}
{{- if or (not $named) (regexMatch "^[0-9.]+$" $host) (gt (len $host) 253) }}
- {{ has $host $hosts | ternary "ingress.hosts" (has $host $names | ternary "httpRoute.hostnames" "ingress.tls") }}: {{ quote $host }} is no host name; write a name alone and in lower case, without scheme, port, path or IP address.
{{- end }}
{{- end }}
{{- if ne (len $hosts) (len (uniq $hosts)) }}
- ingress.hosts: {{ join ", " $hosts }} has one name twice; keep it once.
{{- end }}
{{- if and .Values.httpRoute.hostnames (ne (len $names) (len (uniq $names))) }}
- httpRoute.hostnames: {{ join ", " $names }} has one name twice; keep it once.
{{- end }}
{{- end }}
