# One WebSocket handshake with HOST:PORT at REQUEST_PATH, told step by step. Plain sh, curl, base64 and sha1sum: it runs
# in a busybox image and in a Debian one. The arguments are further options for curl.
set -u

url="http://$HOST:$PORT$REQUEST_PATH"
key=$(head -c 16 /dev/urandom | base64)

# RFC 6455, section 4.2.2: the server's answer to a key is the base64 of the SHA-1 of the key and this constant.
accept_for() {
  for byte in $(printf '%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11' "$1" | sha1sum | cut -c 1-40 | sed 's/../0x& /g'); do
    printf "\\$(printf '%03o' "$byte")"
  done | base64
}

# Prints curl's process id, the answer's headers as they come, and curl's exit code. After a 101 the connection stays
# open: the reader stops curl by its id. What the shell has to say on that is not for the log, what curl says is.
# A Service learns of a pod that has just become ready a moment later, so a refused connection is tried again.
ask() {
  sh -c 'read -r pid _ </proc/self/stat; echo "$pid"; exec curl "$@" 2>&3' curl "$@" \
    --silent --show-error --globoff --http1.1 --max-time 15 --retry 4 --retry-connrefused --retry-delay 1 \
    --retry-max-time 10 --dump-header - --output /dev/null \
    --header 'Connection: Upgrade' --header 'Upgrade: websocket' \
    --header 'Sec-WebSocket-Version: 13' --header "Sec-WebSocket-Key: $key" "$url"
  echo "exit $?"
} 3>&2 2>/dev/null

read_answer() {
  read -r pid
  status='' accept='' code=''
  while IFS= read -r line; do
    line=$(printf '%s' "$line" | tr -d '\r')
    case $(printf '%s' "$line" | tr '[:upper:]' '[:lower:]') in
      '') break ;;
      'exit '*) code=${line#exit } && break ;;
      http/*) status=$(printf '%s' "$line" | cut -d ' ' -f 2) && echo "answer:   $line" ;;
      sec-websocket-accept:*) accept=$(printf '%s' "${line#*:}" | tr -d ' ') ;;
    esac
  done
  kill "$pid" 2>/dev/null
  judge
}

fail() {
  echo "FAILED:   $1"
  exit 1
}

judge() {
  case $code in
    '') ;;
    6) fail "the name $HOST does not resolve: is the Service there, does the cluster's DNS work?" ;;
    7) fail "nothing accepts connections at $HOST:$PORT: is a pod ready, does it listen on this port?" ;;
    28) fail "no answer within 15 seconds: a network policy, or a server that does not speak HTTP on this port." ;;
    *) fail "curl ended with exit code $code before an answer was complete; its own message is above." ;;
  esac
  case $status in
    101) ;;
    2*) fail "a page came back instead of 101: this port does not serve the WebSocket at $REQUEST_PATH." ;;
    401 | 403) fail "the server refused with $status: it wants a login or another Origin; set tests.headers." ;;
    404) fail "the server knows no $REQUEST_PATH: ingress.paths.ws and the server disagree, or set tests.path." ;;
    400 | 426) fail "the server answered $status: it does not take this as a WebSocket handshake." ;;
    *) fail "the server answered $status where 101 Switching Protocols was due." ;;
  esac
  expected=$(accept_for "$key")
  echo "accept:   $accept"
  [ "$accept" = "$expected" ] || fail "Sec-WebSocket-Accept should be $expected: what answers does not speak WebSocket."
  echo "PASSED:   the WebSocket handshake through the Service works."
}

echo "request:  GET $url"
echo "key:      $key"
ask "$@" | read_answer
