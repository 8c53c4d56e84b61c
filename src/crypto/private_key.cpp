#include "crypto/private_key.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/text.hpp"

namespace notify::crypto {
namespace {

/// OpenSSL never asks a terminal for a pass phrase: this is its callback.
int no_pass_phrase(char*, int, int, void*) { return 0; }

}  // namespace

Pkey read_private_key(const base::Secret& pem) {
  const std::string_view text = pem.reveal();
  const Bio bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  Pkey key(bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, no_pass_phrase, nullptr) : nullptr);
  ERR_clear_error();
  return key;
}

std::string jwt_input(std::string_view header_json, std::string_view claims_json) {
  return base::base64url_encode(header_json) + '.' + base::base64url_encode(claims_json);
}

std::string sign_sha256(EVP_PKEY& key, std::string_view text) {
  const DigestContext context(EVP_MD_CTX_new());
  std::size_t length = 0;
  bool ok = context && EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, &key) == 1;
  ok = ok && EVP_DigestSign(context.get(), nullptr, &length, bytes(text), text.size()) == 1;
  std::string signature(length, '\0');
  ok =
      ok && EVP_DigestSign(context.get(), bytes(signature), &length, bytes(text), text.size()) == 1;
  ERR_clear_error();
  signature.resize(ok ? length : 0);
  return signature;
}

}  // namespace notify::crypto
