#!/bin/sh
# Makes a key of its own in the folder, once, with its JWK Set, and prints a token of it with these members of claims.
# The third argument is what the key is called, k1 if there is none.
set -eu
cd "$1"
kid=${3:-k1}

encode() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }

if [ ! -f jwks.json ]; then
  openssl genrsa -out signer.key 2048 2>/dev/null
  modulus=$(openssl rsa -in signer.key -noout -modulus | cut -d= -f2)
  n=$(printf '%s' "$modulus" | perl -e 'print pack("H*", <STDIN>)' | encode)
  printf '{"keys":[{"kty":"RSA","use":"sig","alg":"RS256","kid":"%s","n":"%s","e":"AQAB"}]}' "$kid" "$n" > jwks.json
fi
now=$(date +%s)
header=$(printf '{"alg":"RS256","typ":"JWT","kid":"%s"}' "$kid" | encode)
payload=$(printf '{"iss":"https://id.example.com","aud":"feedback","iat":%s,"exp":%s,%s}' "$now" $((now + 600)) "$2" | encode)
signature=$(printf '%s.%s' "$header" "$payload" | openssl dgst -sha256 -sign signer.key -binary | encode)
printf '%s.%s.%s' "$header" "$payload" "$signature"
