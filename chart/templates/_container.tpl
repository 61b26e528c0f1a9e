{{/*
The container's variables as a JSON array: its ports, the WebSocket settings, the routes' paths, the store, extraEnv.
An empty variable name, or a port, route or list of origins that is not there, leaves its variable out.
*/}}
{{- define "chatapp.env" -}}
{{- $values := .Values }}
{{- $env := list }}
{{- range $port, $number := include "chatapp.ports" . | fromJson }}
{{- $env = append $env (dict "name" (get $values.portEnv $port) "value" (toString $number)) }}
{{- end }}
{{- with .Values.websocket }}
{{- $env = append $env (dict "name" .env.pingInterval "value" (toString .pingInterval)) }}
{{- $env = append $env (dict "name" .env.drainSeconds "value" (toString .drainSeconds)) }}
{{- if .allowedOrigins }}
{{- $env = append $env (dict "name" .env.allowedOrigins "value" (join "," .allowedOrigins)) }}
{{- end }}
{{- end }}
{{- if .Values.runtimeConfig.enabled }}
{{- range $variable, $route := .Values.runtimeConfig.env }}
{{- with get $values.ingress.paths $route }}{{ $env = append $env (dict "name" $variable "value" .) }}{{ end }}
{{- end }}
{{- end }}
{{- $named := list }}
{{- range concat $env (include "chatapp.store.env" . | fromJsonArray) .Values.extraEnv }}{{ if .name }}{{ $named = append $named . }}{{ end }}{{ end }}
{{- toJson $named }}
{{- end }}

{{/* A probe's handler and timing from its values: a command, else HTTP where there is a path, else a TCP connection. */}}
{{- define "chatapp.probe" -}}
{{- if .command -}}
exec:
  command:
    {{- toYaml .command | nindent 4 }}
{{- else if .path -}}
httpGet:
  path: {{ .path | quote }}
  port: {{ .port | quote }}
{{- else -}}
tcpSocket:
  port: {{ .port | quote }}
{{- end }}
periodSeconds: {{ .periodSeconds }}
timeoutSeconds: {{ .timeoutSeconds }}
failureThreshold: {{ .failureThreshold }}
{{- end }}

{{/* Seconds from "stop" to "kill": the sleep, the drain, and 5 to exit, unless said otherwise. */}}
{{- define "chatapp.gracePeriod" -}}
{{- $needed := add .Values.preStopSleepSeconds .Values.websocket.drainSeconds 5 }}
{{- .Values.terminationGracePeriodSeconds | default $needed | int }}
{{- end }}
