{{/* The ports in use, {name: number} as JSON: those of the container, without the ones set to 0. */}}
{{- define "chatapp.ports" -}}
{{- $ports := dict }}
{{- range $name, $number := .Values.ports }}
{{- if $number }}{{ $_ := set $ports $name (int $number) }}{{ end }}
{{- end }}
{{- toJson $ports }}
{{- end }}

{{/* The Service's ports, {name: number} as JSON: the container's number where no other is given. */}}
{{- define "chatapp.service.ports" -}}
{{- $ports := include "chatapp.ports" . | fromJson }}
{{- range $name, $number := .Values.service.ports }}
{{- if and $number (hasKey $ports $name) }}{{ $_ := set $ports $name (int $number) }}{{ end }}
{{- end }}
{{- toJson $ports }}
{{- end }}

{{/*
The routes in use, [{route, path, port, pathType}] as a JSON array. Longest path first, since some controllers take the
first that matches; equally long ones by name.
*/}}
{{- define "chatapp.routes" -}}
{{- $details := .Values.ingress.routes }}
{{- $keys := list }}
{{- range $route, $path := .Values.ingress.paths }}
{{- if $path }}{{ $keys = append $keys (printf "%06d %s %s" (sub 999999 (len $path)) $route $path) }}{{ end }}
{{- end }}
{{- $routes := list }}
{{- range sortAlpha $keys }}
{{- $key := splitList " " . }}
{{- $route := index $key 1 }}
{{- $usual := dict "route" $route "path" (index $key 2) "port" $route "pathType" "Prefix" }}
{{- $routes = append $routes (merge (deepCopy (get $details $route | default dict)) $usual) }}
{{- end }}
{{- toJson $routes }}
{{- end }}

{{/* The host names as a JSON array, templates filled in. */}}
{{- define "chatapp.hosts" -}}
{{- $root := . }}
{{- $hosts := list }}
{{- range .Values.ingress.hosts }}{{ $hosts = append $hosts (tpl . $root) }}{{ end }}
{{- $hosts | default (list (printf "%s.localhost" (include "chatapp.fullname" .))) | toJson }}
{{- end }}

{{/* The HTTPRoute's host names as a JSON array: its own, templates filled in, or those of the Ingress. */}}
{{- define "chatapp.hostnames" -}}
{{- $root := . }}
{{- $hosts := list }}
{{- range .Values.httpRoute.hostnames }}{{ $hosts = append $hosts (tpl . $root) }}{{ end }}
{{- $hosts | default (include "chatapp.hosts" . | fromJsonArray) | toJson }}
{{- end }}

{{/* The TLS entries as a JSON array; one without hosts serves all of them. */}}
{{- define "chatapp.tls" -}}
{{- $root := . }}
{{- $tls := list }}
{{- range .Values.ingress.tls }}
{{- $hosts := list }}
{{- range .hosts }}{{ $hosts = append $hosts (tpl . $root) }}{{ end }}
{{- $hosts = $hosts | default (include "chatapp.hosts" $root | fromJsonArray) }}
{{- $tls = append $tls (merge (dict "hosts" $hosts) .) }}
{{- end }}
{{- toJson $tls }}
{{- end }}

{{/* The hosts of all TLS entries as a JSON array. */}}
{{- define "chatapp.tls.hosts" -}}
{{- $hosts := list }}
{{- range include "chatapp.tls" . | fromJsonArray }}{{ $hosts = concat $hosts .hosts }}{{ end }}
{{- toJson $hosts }}
{{- end }}
