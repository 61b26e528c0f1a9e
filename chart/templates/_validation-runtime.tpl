{{- define "chatapp.validation.runtime" -}}
{{- $runtime := .Values.runtimeConfig }}
{{- $routes := keys .Values.ingress.paths }}
{{- include "chatapp.validation.unique" (list "runtimeConfig.files" $runtime.files) }}
{{- range $name, $file := $runtime.files }}
{{- range $other, $folder := $runtime.files }}
{{- if and $folder (hasPrefix (print $folder "/") $file) }}
- runtimeConfig.files.{{ $name }}: {{ $file }} lies below {{ $folder }}, which is the file of {{ $other }}; choose another path.
{{- end }}
{{- end }}
{{- end }}
{{- include "chatapp.validation.names" (list "runtimeConfig.endpoints" $runtime.endpoints "route" $routes) }}
{{- /* A variable of the chart's own for a route that was removed by null is no mistake. */}}
{{- $known := concat $routes (list "web" "api" "ws" "") | uniq }}
{{- range $variable, $route := $runtime.env }}
{{- if not (has $route $known) }}
- runtimeConfig.env.{{ $variable }}: there is no route {{ $route }}; the routes are {{ $routes | sortAlpha | join ", " }}.
{{- end }}
{{- end }}
{{- $seen := dict }}
{{- range include "chatapp.env" . | fromJsonArray }}
{{- if hasKey $seen .name }}
- portEnv, websocket.env, runtimeConfig.env, valkey.env, extraEnv: {{ .name }} is set twice among them; rename one, or leave it out ("").
{{- end }}
{{- $_ := set $seen .name true }}
{{- end }}
{{- end }}
