{{- define "chatapp.validation.store" -}}
{{- $valkey := .Values.valkey }}
{{- $auth := $valkey.auth }}
{{- $external := $valkey.external }}
{{- if and $valkey.enabled $external.host }}
- valkey.external.host: {{ $external.host }} is a second store beside the release's own; set valkey.enabled to false, or the host to "".
{{- end }}
{{- if and $auth.urlKey (not $auth.existingSecret) }}
- valkey.auth.urlKey: there is no Secret to look in; name it in valkey.auth.existingSecret, or set the key to "".
{{- end }}
{{- if and $valkey.enabled (not $auth.existingSecret) (not $auth.password) }}
- valkey.auth: the release's own store has no password, and the chart makes none up; name a Secret that has one in existingSecret, or set password.
{{- end }}
{{- if and $external.tls.caSecret (not $external.tls.enabled) }}
- valkey.external.tls.caSecret: nobody asks for a certificate; set valkey.external.tls.enabled to true, or leave it out.
{{- end }}
{{- range $directive := list "aclfile" "appendfsync" "appendonly" "dir" "port" "requirepass" "save" "user" }}
{{- if hasKey $valkey.config $directive }}
- valkey.config.{{ $directive }}: the chart sets it itself; leave it out.
{{- end }}
{{- end }}
{{- range $field, $_ := $valkey.extraPodSpec }}
{{- if has $field (list "automountServiceAccountToken" "containers" "enableServiceLinks" "imagePullSecrets" "securityContext" "terminationGracePeriodSeconds" "volumes") }}
- valkey.extraPodSpec.{{ $field }}: the chart sets it itself; leave it out.
{{- end }}
{{- end }}
{{- include "chatapp.validation.image" (list "valkey.image" $valkey.image) }}
{{- end }}

{{- define "chatapp.validation.scale" -}}
{{- $scaling := .Values.autoscaling }}
{{- $most := include "chatapp.replicas.most" . | int }}
{{- if and (gt $most 1) (not (include "chatapp.store" .)) }}
- {{ $scaling.enabled | ternary "autoscaling.maxReplicas" "replicaCount" }}: {{ $most }} pods would not hear each other's messages without a shared store; set valkey.enabled to true and valkey.auth.existingSecret, name yours in valkey.external.host, or set 1.
{{- end }}
{{- if $scaling.enabled }}
{{- if lt $most (int $scaling.minReplicas) }}
- autoscaling.maxReplicas: {{ $most }} is less than minReplicas, {{ $scaling.minReplicas }}; set {{ $scaling.minReplicas }} or more.
{{- end }}
{{- if not (or $scaling.metrics $scaling.targetCPUUtilizationPercentage $scaling.targetMemoryUtilizationPercentage) }}
- autoscaling: there is no metric to scale by; set targetCPUUtilizationPercentage, or name one in metrics.
{{- end }}
{{- $resources := .Values.resources }}
{{- range $resource, $target := dict "cpu" "targetCPUUtilizationPercentage" "memory" "targetMemoryUtilizationPercentage" }}
{{- if and (get $scaling $target) (not (dig "requests" $resource "" $resources)) }}
- autoscaling.{{ $target }}: it is a percentage of resources.requests.{{ $resource }}, which is not set; set it, or the target to 0.
{{- end }}
{{- end }}
{{- end }}
{{- $ports := include "chatapp.ports" . | fromJson }}
{{- if and (or .Values.serviceMonitor.enabled .Values.networkPolicy.monitoring) (not (hasKey $ports .Values.serviceMonitor.port)) }}
- serviceMonitor.port: there is no port {{ .Values.serviceMonitor.port }}; name one of {{ keys $ports | sortAlpha | join ", " }}.
{{- end }}
{{- end }}
