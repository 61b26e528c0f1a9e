{{/* The container ports of all routes, as a NetworkPolicy's ports in JSON. */}}
{{- define "chatapp.policy.routePorts" -}}
{{- $ports := include "chatapp.ports" . | fromJson }}
{{- $numbers := list }}
{{- range include "chatapp.routes" . | fromJsonArray }}
{{- $numbers = append $numbers (get $ports .port | int) | uniq }}
{{- end }}
{{- $entries := list }}
{{- range $numbers }}{{ $entries = append $entries (dict "port" . "protocol" "TCP") }}{{ end }}
{{- toJson $entries }}
{{- end }}

{{/* The container port that `helm test` asks, likewise; an empty list where there is no test. */}}
{{- define "chatapp.policy.testPort" -}}
{{- $test := include "chatapp.tests.target" . | fromJson }}
{{- $number := get (include "chatapp.ports" . | fromJson) $test.portName | default 0 | int }}
{{- $entries := list }}
{{- if and $number $test.path }}{{ $entries = append $entries (dict "port" $number "protocol" "TCP") }}{{ end }}
{{- toJson $entries }}
{{- end }}
