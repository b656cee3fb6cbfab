// Makes RS256 tokens for the benchmark, or measures what verifying one costs.
//
//   tokens make COUNT FOLDER    key.pem (the public key), jwks.json and tokens.txt with COUNT tokens, one a line
//   tokens verify SECONDS       microseconds of CPU for one verification by OpenSSL, on standard output
//
// The key is new each time: 2048 bits.

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { signature_limit = 512, text_limit = 4096 };

static void fail(const char *what) {
  fprintf(stderr, "tokens: %s\n", what);
  exit(1);
}

// base64url without padding; returns the length.
static int encode(char *out, const unsigned char *bytes, int count) {
  int length = EVP_EncodeBlock((unsigned char *)out, bytes, count);
  while (length > 0 && out[length - 1] == '=') length--;
  for (int i = 0; i < length; i++) out[i] = out[i] == '+' ? '-' : out[i] == '/' ? '_' : out[i];
  out[length] = 0;
  return length;
}

static size_t sign(EVP_PKEY *key, const char *text, unsigned char *signature) {
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  size_t length = signature_limit;
  if (!context || EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) != 1 ||
      EVP_DigestSign(context, signature, &length, (const unsigned char *)text, strlen(text)) != 1)
    fail("cannot sign");
  EVP_MD_CTX_free(context);
  return length;
}

// Writes header and payload of the token with a number, ready to be signed.
static void begin(char *text, long number) {
  char header[] = "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"bench\"}", payload[512];
  snprintf(payload, sizeof payload,
           "{\"iss\":\"https://issuer.example\",\"aud\":\"bench\",\"sub\":\"user-%ld\",\"exp\":4000000000,"
           "\"scope\":\"read write\"}", number);
  int length = encode(text, (unsigned char *)header, strlen(header));
  text[length++] = '.';
  encode(text + length, (unsigned char *)payload, strlen(payload));
}

static FILE *file(const char *folder, const char *name) {
  char path[text_limit];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *opened = fopen(path, "w");
  if (!opened) fail("cannot write");
  return opened;
}

static void make(EVP_PKEY *key, long count, const char *folder) {
  FILE *pem = file(folder, "key.pem"), *jwks = file(folder, "jwks.json"), *tokens = file(folder, "tokens.txt");
  PEM_write_PUBKEY(pem, key);
  BIGNUM *modulus = NULL;
  EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &modulus);
  unsigned char bytes[signature_limit];
  char text[text_limit];
  encode(text, bytes, BN_bn2bin(modulus, bytes));
  fprintf(jwks, "{\"keys\":[{\"kty\":\"RSA\",\"alg\":\"RS256\",\"use\":\"sig\",\"kid\":\"bench\",\"e\":\"AQAB\",\"n\":\"%s\"}]}",
          text);
  for (long number = 0; number < count; number++) {
    unsigned char signature[signature_limit];
    char encoded[2 * signature_limit];
    begin(text, number);
    encode(encoded, signature, (int)sign(key, text, signature));
    fprintf(tokens, "%s.%s\n", text, encoded);
  }
  BN_free(modulus);
  if (fclose(pem) | fclose(jwks) | fclose(tokens)) fail("cannot write");
}

static double cpu(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return now.tv_sec + now.tv_nsec / 1e9;
}

static void verify(EVP_PKEY *key, double seconds) {
  char text[text_limit];
  begin(text, 1);
  unsigned char signature[signature_limit];
  size_t length = sign(key, text, signature);
  double began = cpu();
  long count = 0;
  for (; cpu() - began < seconds; count++) {
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) != 1 ||
        EVP_DigestVerify(context, signature, length, (unsigned char *)text, strlen(text)) != 1)
      fail("a good signature does not hold");
    EVP_MD_CTX_free(context);
  }
  printf("%.3f\n", (cpu() - began) / count * 1e6);
}

int main(int argc, char **argv) {
  EVP_PKEY *key = EVP_RSA_gen(2048);
  if (!key) fail("no key");
  if (argc == 4 && !strcmp(argv[1], "make")) {
    make(key, atol(argv[2]), argv[3]);
  } else if (argc == 3 && !strcmp(argv[1], "verify")) {
    verify(key, atof(argv[2]));
  } else {
    fail("tokens make COUNT FOLDER | tokens verify SECONDS");
  }
  EVP_PKEY_free(key);
}
