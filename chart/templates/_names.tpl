{{/* The chart's name for labels; in a parent chart it follows the dependency's alias. */}}
{{- define "chatapp.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* What the main objects are called: the release's name, and the chart's behind it unless it is in there already. */}}
{{- define "chatapp.fullname" -}}
{{- $name := .Values.nameOverride | default .Chart.Name }}
{{- $full := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) }}
{{- .Values.fullnameOverride | default $full | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* A further object's name: (list . "test") gives <fullname>-test, 63 characters at most with the suffix whole. */}}
{{- define "chatapp.fullname.with" -}}
{{- $suffix := last . }}
{{- $room := int (sub 62 (len $suffix)) }}
{{- printf "%s-%s" (include "chatapp.fullname" (first .) | trunc $room | trimSuffix "-") $suffix }}
{{- end }}

{{- define "chatapp.serviceAccountName" -}}
{{- $usual := .Values.serviceAccount.create | ternary (include "chatapp.fullname" .) "default" }}
{{- .Values.serviceAccount.name | default $usual }}
{{- end }}
