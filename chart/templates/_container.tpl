{{/* The app's container, as YAML. */}}
{{- define "chatapp.container" -}}
name: chatapp
image: {{ include "chatapp.image" (list . .Values.image) | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
ports:
  {{- range $name, $number := include "chatapp.ports" . | fromJson }}
  - name: {{ $name | quote }}
    containerPort: {{ $number }}
    protocol: TCP
  {{- end }}
{{- with include "chatapp.env" . | fromJsonArray }}
env:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.envFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- range $probe, $settings := .Values.probes }}
{{- if $settings.enabled }}
{{ $probe }}Probe:
  {{- include "chatapp.probe" $settings | nindent 2 }}
{{- end }}
{{- end }}
{{- with .Values.preStopSleepSeconds }}
lifecycle:
  preStop:
    sleep:
      seconds: {{ . }}
{{- end }}
{{- with .Values.resources }}
resources:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.securityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with include "chatapp.mounts" . | fromJsonArray }}
volumeMounts:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* The mounts as a JSON array: each runtime file on its own path, so that the image's other files stay visible; then the user's. */}}
{{- define "chatapp.mounts" -}}
{{- $paths := .Values.runtimeConfig.files }}
{{- $mounts := list }}
{{- range $file, $_ := include "chatapp.runtime.files" . | fromJson }}
{{- $path := get $paths (trimPrefix "runtime." $file) }}
{{- $mounts = append $mounts (dict "name" "runtime" "mountPath" $path "subPath" $file "readOnly" true) }}
{{- end }}
{{- concat $mounts .Values.extraVolumeMounts | toJson }}
{{- end }}

{{/*
The container's variables as a JSON array: its ports, the WebSocket settings, the routes' paths, then extraEnv.
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
{{- range concat $env .Values.extraEnv }}{{ if .name }}{{ $named = append $named . }}{{ end }}{{ end }}
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
