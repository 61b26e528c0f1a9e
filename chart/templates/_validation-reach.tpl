{{- define "chatapp.validation.reach" -}}
{{- $service := .Values.service }}
{{- $names := keys .Values.ports }}
{{- $numbers := $service.nodePorts }}
{{- include "chatapp.validation.names" (list "service.nodePorts" $service.nodePorts "port" $names) }}
{{- if $service.debug.enabled }}{{ $numbers = merge (dict "service.debug" $service.debug.nodePort) $numbers }}{{ end }}
{{- include "chatapp.validation.unique" (list "service.nodePorts" $numbers) }}
{{- $test := include "chatapp.tests.target" . | fromJson }}
{{- if and $service.debug.enabled (not $test.port) }}
- service.debug: there is no port {{ $test.portName }} to reach; add ports.{{ $test.portName }}, or set service.debug.enabled to false.
{{- end }}
{{- if eq $service.type "ClusterIP" }}
{{- range $field := list "nodePorts" "externalTrafficPolicy" }}
{{- with get $service $field }}
- service.{{ $field }}: a Service of type ClusterIP has none; set service.type to NodePort or LoadBalancer, or leave it out.
{{- end }}
{{- end }}
{{- end }}
{{- if ne $service.type "LoadBalancer" }}
{{- range $field := list "loadBalancerClass" "loadBalancerSourceRanges" }}
{{- with get $service $field }}
- service.{{ $field }}: a Service of type {{ $service.type }} has none; set service.type to LoadBalancer, or leave it out.
{{- end }}
{{- end }}
{{- end }}
{{- include "chatapp.validation.httpRoute" . }}
{{- $known := include "chatapp.controllers" . | fromJson | keys | sortAlpha }}
{{- range $way, $controller := dict "ingress" .Values.ingress.controller "httpRoute" .Values.httpRoute.controller }}
{{- if and $controller (not (has $controller $known)) }}
- {{ $way }}.controller: {{ $controller }} is not known; use one of {{ join ", " $known }}, or "" and {{ $way }}.annotations.
{{- end }}
{{- end }}
{{- end }}

{{- define "chatapp.validation.httpRoute" -}}
{{- $route := .Values.httpRoute }}
{{- $routes := keys .Values.ingress.paths }}
{{- include "chatapp.validation.names" (list "httpRoute.filters" $route.filters "route" $routes) }}
{{- include "chatapp.validation.names" (list "httpRoute.timeouts" $route.timeouts "route" $routes) }}
{{- if and $route.enabled (not $route.parentRefs) }}
- httpRoute.parentRefs: an HTTPRoute that no Gateway serves reaches nothing; name one, such as [{name: web}].
{{- end }}
{{- range $name, $filters := $route.filters }}
{{- range $filters }}
{{- if has .type (list "URLRewrite" "RequestRedirect") }}
- httpRoute.filters.{{ $name }}: {{ .type }} changes the path, which the container and the page get whole; leave it out.
{{- end }}
{{- end }}
{{- end }}
{{- end }}
