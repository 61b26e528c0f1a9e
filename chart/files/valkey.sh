# Starts the embedded store. The password is not among the arguments, which every process on the node can read: its hash is.
set -eu
hash=$(printf %s "$REDISCLI_AUTH" | sha256sum | cut -d " " -f 1)
exec valkey-server --port 6379 --dir /data "$@" \
  --appendonly yes --appendfsync always --save "" \
  --user default reset on "#$hash" "~*" "&*" "+@all"
