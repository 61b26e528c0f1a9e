{{/*
Labels come as YAML from a list of the root context and the component: (list . "app"), (list . "test").
What a selector names never changes in a release's life, and no value changes it, nameOverride included. The chart's
version stays off pods, so that a new chart alone restarts none.
*/}}
{{- define "chatapp.labels.selector" -}}
{{- $root := first . }}
{{- $name := dict "app.kubernetes.io/name" (include "chatapp.name" $root) }}
{{- $others := dict "app.kubernetes.io/instance" $root.Release.Name "app.kubernetes.io/component" (last .) }}
{{- merge $name $others | toYaml }}
{{- end }}

{{- define "chatapp.labels.pod" -}}
{{- $root := first . }}
{{- $own := include "chatapp.labels.selector" . | fromYaml }}
{{- $image := eq (last .) "valkey" | ternary $root.Values.valkey.image $root.Values.image }}
{{- $version := include "chatapp.labels.version" (list $root $image) }}
{{- $usual := dict "app.kubernetes.io/version" $version "app.kubernetes.io/managed-by" $root.Release.Service }}
{{- $_ := set $usual "app.kubernetes.io/part-of" (include "chatapp.name" $root) }}
{{- merge $own (deepCopy $root.Values.commonLabels) $usual | toYaml }}
{{- end }}

{{- define "chatapp.labels" -}}
{{- $chart := (first .).Chart }}
{{- $name := printf "%s-%s" $chart.Name $chart.Version | replace "+" "_" | trunc 63 | trimAll "-_." }}
{{- merge (include "chatapp.labels.pod" . | fromYaml) (dict "helm.sh/chart" $name) | toYaml }}
{{- end }}

{{/*
What runs: the image's tag, else the start of its digest, else the chart's appVersion; each as a valid label. From
(list . <image values>).
*/}}
{{- define "chatapp.labels.version" -}}
{{- $image := last . }}
{{- $digest := $image.digest | trimPrefix "sha256:" | trunc 12 }}
{{- $image.tag | default $digest | default (first .).Chart.AppVersion | replace "+" "_" | trunc 63 | trimAll "-_." }}
{{- end }}
