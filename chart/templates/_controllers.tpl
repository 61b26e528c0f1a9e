{{/* The rows of files/controllers.yaml, as JSON. */}}
{{- define "chatapp.controllers" -}}
{{- .Files.Get "files/controllers.yaml" | fromYaml | toJson }}
{{- end }}

{{/*
What the controllers in use want on one kind of object, as JSON: (list . "service"). Values of the user's own win; they
are merged by the caller.
*/}}
{{- define "chatapp.controllers.annotations" -}}
{{- $root := first . }}
{{- $target := last . }}
{{- $rows := include "chatapp.controllers" $root | fromJson }}
{{- $idle := int $root.Values.websocket.idleTimeout }}
{{- $path := $root.Values.ingress.paths.ws | default "" }}
{{- $values := dict "<path>" $path "<service>" (empty $path | ternary "" (include "chatapp.fullname" $root)) }}
{{- $_ := set $values "<seconds>" (eq $idle 0 | ternary "" (toString $idle)) }}
{{- $_ := set $values "<milliseconds>" (eq $idle 0 | ternary "" (mul $idle 1000 | toString)) }}
{{- $annotations := dict }}
{{- range $way := list $root.Values.ingress $root.Values.httpRoute }}
{{- if $way.enabled }}
{{- range $name, $text := get (get $rows $way.controller | default dict) $target | default dict }}
{{- $missing := false }}
{{- range $placeholder, $value := $values }}
{{- if contains $placeholder $text }}
{{- $missing = or $missing (empty $value) }}
{{- $text = replace $placeholder $value $text }}
{{- end }}
{{- end }}
{{- if not $missing }}{{ $_ := set $annotations $name $text }}{{ end }}
{{- end }}
{{- end }}
{{- end }}
{{- toJson $annotations }}
{{- end }}
