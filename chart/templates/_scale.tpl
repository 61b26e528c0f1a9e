{{/* How many pods there are at least. */}}
{{- define "chatapp.replicas.least" -}}
{{- .Values.autoscaling.enabled | ternary .Values.autoscaling.minReplicas .Values.replicaCount | int }}
{{- end }}

{{/* How many pods there are at most. */}}
{{- define "chatapp.replicas.most" -}}
{{- .Values.autoscaling.enabled | ternary .Values.autoscaling.maxReplicas .Values.replicaCount | int }}
{{- end }}
