{{/* An image reference from (list . <image values>); the digest wins over the tag, an empty tag is the appVersion. */}}
{{- define "chatapp.image" -}}
{{- $image := last . }}
{{- $tag := $image.tag | default (first .).Chart.AppVersion }}
{{- with $image.registry }}{{ . }}/{{ end }}{{ $image.repository }}
{{- with $image.digest }}@{{ . }}{{ else }}:{{ $tag }}{{ end }}
{{- end }}
