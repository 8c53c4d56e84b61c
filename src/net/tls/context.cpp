#include "net/tls/context.hpp"

#include <openssl/ssl.h>

#include <boost/system/error_code.hpp>
#include <utility>
#include <vector>

#include "net/tls/native.hpp"

namespace notify::net {
namespace {

namespace ssl = boost::asio::ssl;
using base::Errc;

base::Expected<void> load_roots(ssl::context& context, const std::string& file) {
  boost::system::error_code error;
  if (file.empty()) {
    context.set_default_verify_paths(error);
  } else {
    context.load_verify_file(file, error);
  }
  if (error) return base::fail(Errc::invalid, "TLS trust roots " + file + ": " + error.message());
  return {};
}

base::Expected<void> offer(ssl::context& context, const std::string& protocol) {
  if (protocol.empty()) return {};
  if (protocol.size() > 255) return base::fail(Errc::invalid, "the ALPN protocol name is too long");
  // RFC 7301 §3.1: each name is preceded by its length.
  std::vector<unsigned char> list{static_cast<unsigned char>(protocol.size())};
  list.insert(list.end(), protocol.begin(), protocol.end());
  if (SSL_CTX_set_alpn_protos(context.native_handle(), list.data(),
                              static_cast<unsigned>(list.size())) != 0) {
    return base::fail(Errc::internal, "OpenSSL refused the ALPN protocol");
  }
  return {};
}

}  // namespace

TlsContext::TlsContext(std::string alpn)
    : alpn_(std::move(alpn)), native_(std::make_unique<Native>()) {}

TlsContext::~TlsContext() = default;

base::Expected<std::unique_ptr<TlsContext>> TlsContext::create(const TlsOptions& options) {
  std::unique_ptr<TlsContext> made(new TlsContext(options.alpn));
  ssl::context& context = made->native_->context;
  if (SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION) != 1) {
    return base::fail(Errc::internal, "OpenSSL refused TLS 1.2 as the minimum");
  }
  context.set_verify_mode(ssl::verify_peer);
  // Idle connections are the normal case: give their record buffers back between writes.
  SSL_CTX_set_mode(context.native_handle(), SSL_MODE_RELEASE_BUFFERS);
  if (auto loaded = load_roots(context, options.ca_file); !loaded)
    return base::fail(loaded.error());
  if (auto offered = offer(context, options.alpn); !offered) return base::fail(offered.error());
  return made;
}

}  // namespace notify::net
