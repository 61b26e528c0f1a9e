{{- define "chatapp.validation.pod" -}}
{{- $values := .Values }}
{{- $managed := list "serviceAccountName" "automountServiceAccountToken" "enableServiceLinks" }}
{{- $managed = concat $managed (list "terminationGracePeriodSeconds" "imagePullSecrets" "securityContext" "nodeSelector") }}
{{- $managed = concat $managed (list "affinity" "tolerations" "topologySpreadConstraints" "initContainers" "containers") }}
{{- range $field, $_ := .Values.extraPodSpec }}
{{- if has $field (append $managed "volumes") }}
- extraPodSpec.{{ $field }}: the chart sets it itself; use the value that is for it.
{{- end }}
{{- end }}
{{- $volumes := concat (list (dict "name" "runtime") (dict "name" "valkey-ca")) .Values.extraVolumes }}
{{- include "chatapp.validation.named" (list "extraVolumes" $volumes "name") }}
{{- $mounts := .Values.extraVolumeMounts }}
{{- range $path := values .Values.runtimeConfig.files | compact | uniq }}
{{- $mounts = append $mounts (dict "mountPath" $path) }}
{{- end }}
{{- include "chatapp.validation.named" (list "extraVolumeMounts" $mounts "mountPath") }}
{{- $containers := concat (list (dict "name" "chatapp")) .Values.initContainers .Values.sidecars }}
{{- include "chatapp.validation.named" (list "initContainers, sidecars" $containers "name") }}
{{- $names := list "runtime" }}
{{- range .Values.extraVolumes }}{{ $names = append $names .name }}{{ end }}
{{- range .Values.extraVolumeMounts }}
{{- if not (has .name $names) }}
- extraVolumeMounts: there is no volume {{ .name }}; add it to extraVolumes.
{{- end }}
{{- end }}
{{- range .Values.extraEnv }}
{{- if and (hasKey . "value") (hasKey . "valueFrom") }}
- extraEnv: {{ .name }} has both value and valueFrom; keep one.
{{- end }}
{{- end }}
{{- /* The container's settings win over the pod's. */}}
{{- $security := dict }}
{{- range list .Values.podSecurityContext .Values.securityContext }}
{{- range $key, $value := . }}{{ $_ := set $security $key $value }}{{ end }}
{{- end }}
{{- if and $security.runAsNonRoot (eq (toString $security.runAsUser) "0") }}
- podSecurityContext, securityContext: runAsUser 0 is root, which runAsNonRoot forbids; set another user, or runAsNonRoot to false.
{{- end }}
{{- end }}

{{/* A list in which one field must differ: (list "extraVolumes" <maps> "name"). */}}
{{- define "chatapp.validation.named" -}}
{{- $key := first . }}
{{- $field := last . }}
{{- $seen := dict }}
{{- range index . 1 }}
{{- $value := get . $field }}
{{- if hasKey $seen $value }}
- {{ $key }}: {{ $field }} {{ $value }} is taken; choose another.
{{- end }}
{{- $_ := set $seen $value true }}
{{- end }}
{{- end }}
