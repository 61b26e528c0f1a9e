{{/* The spec of the app's pods, as YAML. */}}
{{- define "chatapp.pod" -}}
{{- $root := . }}
serviceAccountName: {{ include "chatapp.serviceAccountName" . | quote }}
automountServiceAccountToken: false
# A Service named chatapp would set CHATAPP_PORT=tcp://... in every pod.
enableServiceLinks: false
terminationGracePeriodSeconds: {{ include "chatapp.gracePeriod" . }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.podSecurityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with include "chatapp.spread" . | fromJsonArray }}
topologySpreadConstraints:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.initContainers }}
initContainers:
  {{- toYaml . | nindent 2 }}
{{- end }}
containers:
  - {{- include "chatapp.container" . | nindent 4 }}
  {{- with .Values.sidecars }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with include "chatapp.volumes" . | fromJsonArray }}
volumes:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.extraPodSpec }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* The spread constraints as a JSON array: over the Deployment's own pods, each revision by itself, unless said otherwise. */}}
{{- define "chatapp.spread" -}}
{{- $selector := dict "matchLabels" (include "chatapp.labels.selector" (list . "app") | fromYaml) }}
{{- $usual := dict "labelSelector" $selector "matchLabelKeys" (list "pod-template-hash") }}
{{- $constraints := list }}
{{- range .Values.topologySpreadConstraints }}
{{- $constraints = append $constraints (merge (deepCopy .) $usual) }}
{{- end }}
{{- toJson $constraints }}
{{- end }}

{{/* The volumes as a JSON array: the runtime files, then the user's. */}}
{{- define "chatapp.volumes" -}}
{{- $volumes := list }}
{{- if include "chatapp.runtime.files" . | fromJson }}
{{- $source := dict "name" (include "chatapp.fullname.with" (list . "runtime")) }}
{{- $volumes = append $volumes (dict "name" "runtime" "configMap" $source) }}
{{- end }}
{{- concat $volumes .Values.extraVolumes | toJson }}
{{- end }}
