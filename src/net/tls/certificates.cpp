#include "net/tls/certificates.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <memory>

namespace notify::net {
namespace {

base::Error unusable(const std::string& file) {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return {base::Errc::invalid, file + ": " + (reason == nullptr ? "cannot be read" : reason)};
}

}  // namespace

base::Expected<void> check_certificates(const CertificateFiles& files) {
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_server_method()),
                                                                  SSL_CTX_free);
  if (!context) return base::fail(base::Errc::internal, "OpenSSL has no memory");
  // A key that has a passphrase is refused, not asked for on the terminal.
  SSL_CTX_set_default_passwd_cb(context.get(), [](char*, int, int, void*) { return 0; });
  if (SSL_CTX_use_certificate_chain_file(context.get(), files.cert_file.c_str()) != 1) {
    return base::fail(unusable(files.cert_file));
  }
  // It also says whether the key is that certificate's.
  if (SSL_CTX_use_PrivateKey_file(context.get(), files.key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    return base::fail(unusable(files.key_file));
  }
  if (SSL_CTX_load_verify_file(context.get(), files.ca_file.c_str()) != 1) {
    return base::fail(unusable(files.ca_file));
  }
  return {};
}

}  // namespace notify::net
