{{/* A name in at most so many characters: (list <name> 63). What is cut is told apart by the start of its hash. */}}
{{- define "chatapp.name.short" -}}
{{- $name := first . }}
{{- $kept := $name | trunc (int (sub (last .) 9)) | trimAll "-_." }}
{{- gt (len $name) (last .) | ternary (printf "%s-%s" $kept (sha256sum $name | trunc 8)) $name }}
{{- end }}

{{/* The chart's name for labels and selectors; in a parent chart it is the dependency's alias. */}}
{{- define "chatapp.name" -}}
{{- include "chatapp.name.short" (list .Chart.Name 63) }}
{{- end }}

{{/* The release's name, and the chart's behind it unless it is in there already; however long. */}}
{{- define "chatapp.fullname.uncut" -}}
{{- $name := .Values.nameOverride | default .Chart.Name }}
{{- $full := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) }}
{{- .Values.fullnameOverride | default $full }}
{{- end }}

{{/* What the main objects are called. */}}
{{- define "chatapp.fullname" -}}
{{- include "chatapp.name.short" (list (include "chatapp.fullname.uncut" .) 63) }}
{{- end }}

{{/* A further object's name: (list . "test") gives <fullname>-test, 63 characters at most with the suffix whole. */}}
{{- define "chatapp.fullname.with" -}}
{{- $room := int (sub 62 (len (last .))) }}
{{- printf "%s-%s" (include "chatapp.name.short" (list (include "chatapp.fullname.uncut" (first .)) $room)) (last .) }}
{{- end }}

{{- define "chatapp.serviceAccountName" -}}
{{- $usual := .Values.serviceAccount.create | ternary (include "chatapp.fullname" .) "default" }}
{{- .Values.serviceAccount.name | default $usual }}
{{- end }}
