{{/*
What `helm test` asks for, as JSON: host, port, its name, path and headers; port 0 or an empty path where there is no WebSocket.
Like a browser it sends an Origin: the first allowed one, else that of the host it asks.
*/}}
{{- define "chatapp.tests.target" -}}
{{- $host := include "chatapp.fullname" . }}
{{- $route := get .Values.ingress.routes "ws" | default dict }}
{{- $name := $route.port | default "ws" }}
{{- $port := get (include "chatapp.service.ports" . | fromJson) $name | default 0 | int }}
{{- $authority := eq $port 80 | ternary $host (printf "%s:%d" $host $port) }}
{{- $headers := dict "Origin" (first .Values.websocket.allowedOrigins | default (printf "http://%s" $authority)) }}
{{- range $name, $value := .Values.tests.headers }}
{{- if eq (lower $name) "origin" }}{{ $headers = omit $headers "Origin" }}{{ end }}
{{- $_ := set $headers $name $value }}
{{- end }}
{{- $path := .Values.tests.path | default .Values.ingress.paths.ws }}
{{- dict "host" $host "port" $port "portName" $name "path" $path "headers" $headers | toJson }}
{{- end }}
