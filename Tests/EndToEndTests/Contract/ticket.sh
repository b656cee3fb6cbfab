#!/bin/sh
# Signs a POST by RFC 9421 with the digest of its body (RFC 9530), and sends it: ticket.sh PORT SECRET BODY NONCE
set -eu
host="127.0.0.1:$1"
digest=$(printf '%s' "$3" | openssl dgst -sha256 -binary | openssl base64 -A)
parameters='("@method" "@authority" "@path" "content-digest");created='"$(date +%s)"';keyid="partner-1";alg="hmac-sha256";nonce="'"$4"'"'
signature=$(printf '"@method": POST\n"@authority": %s\n"@path": /v1/tickets\n"content-digest": sha-256=:%s:\n"@signature-params": %s' \
  "$host" "$digest" "$parameters" | openssl dgst -sha256 -hmac "$2" -binary | openssl base64 -A)
exec curl -sS --max-time 20 -i -H 'Content-Type: application/xml' -H "Content-Digest: sha-256=:$digest:" \
  -H "Signature-Input: sig1=$parameters" -H "Signature: sig1=:$signature:" --data-binary "$3" "http://$host/v1/tickets"
