// OpenSSL, and as functions what it has as macros with casts, which Swift does not import.
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

// Forward secrecy needs no compression and no renegotiation; the server chooses the cipher, but takes ChaCha20 of
// clients that prefer it, because those have no AES in hardware.
static inline void co_ctx_harden(SSL_CTX *ctx) {
  SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                               SSL_OP_PRIORITIZE_CHACHA | SSL_OP_NO_SSLv3 | SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1);
  // What is sent of a chain is what the files say: nothing is added from the authorities that clients are trusted by.
  SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS |
                            SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_set_read_ahead(ctx, 1);
}

static inline int co_ctx_set_minimum(SSL_CTX *ctx, int version) { return SSL_CTX_set_min_proto_version(ctx, version); }
static inline int co_ctx_set_groups(SSL_CTX *ctx, const char *list) { return SSL_CTX_set1_groups_list(ctx, list); }
static inline void co_ctx_cache_off(SSL_CTX *ctx) { SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF); }
static inline void co_ctx_cache_client(SSL_CTX *ctx) {
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
}
static inline void co_ctx_tickets_off(SSL_CTX *ctx) { SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET); }
static inline int co_ctx_add_chain(SSL_CTX *ctx, X509 *certificate) {
  return (int)SSL_CTX_add1_chain_cert(ctx, certificate);
}
static inline void co_ctx_on_server_name(SSL_CTX *ctx, int (*callback)(SSL *, int *, void *), void *argument) {
  SSL_CTX_set_tlsext_servername_callback(ctx, callback);
  SSL_CTX_set_tlsext_servername_arg(ctx, argument);
}
static inline int co_set_server_name(SSL *ssl, const char *name) { return (int)SSL_set_tlsext_host_name(ssl, name); }

static inline void co_bio_retry(BIO *bio, int reading) {
  if (reading) BIO_set_retry_read(bio); else BIO_set_retry_write(bio);
}
static inline void co_bio_no_retry(BIO *bio) { BIO_clear_retry_flags(bio); }
static inline long co_bio_text(BIO *bio, char **text) { return BIO_get_mem_data(bio, text); }

static inline int co_ticket_mac(EVP_MAC_CTX *mac, unsigned char *key, size_t length) {
  char digest[] = "SHA256";
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key, length),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
  return EVP_MAC_CTX_set_params(mac, parameters);
}

static inline int co_name_count(void *names) { return OPENSSL_sk_num((OPENSSL_STACK *)names); }
// The kind of one alternative name, and its octets; -1 when it is none with plain text.
static inline int co_name(void *names, int index, const unsigned char **octets, int *length) {
  GENERAL_NAME *name = (GENERAL_NAME *)OPENSSL_sk_value((OPENSSL_STACK *)names, index);
  if (name->type != GEN_DNS && name->type != GEN_EMAIL && name->type != GEN_URI && name->type != GEN_IPADD) return -1;
  *octets = ASN1_STRING_get0_data(name->d.ia5);
  *length = ASN1_STRING_length(name->d.ia5);
  return name->type;
}
// RFC 2253, but for letters of other alphabets, which stay readable.
static inline unsigned long co_subject_style(void) { return XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB; }
static inline void co_names_free(void *names) { GENERAL_NAMES_free((GENERAL_NAMES *)names); }
static inline int co_error_reason(unsigned long code) { return ERR_GET_REASON(code); }
static inline int co_error_library(unsigned long code) { return ERR_GET_LIB(code); }
static inline int co_alert_offset(void) { return SSL_AD_REASON_OFFSET; }
