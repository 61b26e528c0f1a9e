{{/* Fields of the pod that are there only where somebody asks for them, as YAML: where it runs, and what is rare. */}}
{{- define "chatapp.pod.optional" -}}
{{- $values := .Values }}
{{- $fields := dict }}
{{- range $field := list "nodeSelector" "affinity" "tolerations" "initContainers" }}
{{- with get $values $field }}{{ $_ := set $fields $field . }}{{ end }}
{{- end }}
{{- with include "chatapp.pod.spread" . | fromJsonArray }}{{ $_ := set $fields "topologySpreadConstraints" . }}{{ end }}
{{- with merge $fields .Values.extraPodSpec }}{{ toYaml . }}{{ end }}
{{- end }}

{{/*
The spread constraints as a JSON array: over the Deployment's own pods, each revision by itself, unless said otherwise.
*/}}
{{- define "chatapp.pod.spread" -}}
{{- $selector := dict "matchLabels" (include "chatapp.labels.selector" (list . "app") | fromYaml) }}
{{- $usual := dict "labelSelector" $selector "matchLabelKeys" (list "pod-template-hash") }}
{{- $constraints := list }}
{{- range .Values.topologySpreadConstraints }}
{{- $constraints = append $constraints (merge (deepCopy .) $usual) }}
{{- end }}
{{- toJson $constraints }}
{{- end }}

{{/* The volumes besides the runtime configuration's, as a JSON array: the store's certificate authority, the user's own. */}}
{{- define "chatapp.pod.volumes" -}}
{{- $volumes := list }}
{{- if include "chatapp.store.ca" . }}
{{- $secret := dict "secretName" .Values.valkey.external.tls.caSecret }}
{{- $volumes = append $volumes (dict "name" "valkey-ca" "secret" $secret) }}
{{- end }}
{{- concat $volumes (tpl (toYaml .Values.extraVolumes) . | fromYamlArray) | toJson }}
{{- end }}

{{/* Where the app's container mounts them, likewise. */}}
{{- define "chatapp.pod.volumeMounts" -}}
{{- $mounts := list }}
{{- with include "chatapp.store.ca" . }}
{{- $mounts = append $mounts (dict "name" "valkey-ca" "mountPath" (dir .) "readOnly" true) }}
{{- end }}
{{- concat $mounts .Values.extraVolumeMounts | toJson }}
{{- end }}
