#include "push-simulator/provider_server.hpp"

#include <boost/asio/as_tuple.hpp>
#include <cstring>
#include <memory>

#include "push-simulator/listen.hpp"
#include "push-simulator/provider_connection.hpp"
#include "push-simulator/report.hpp"

namespace notify::simulator {
namespace {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
using asio::ip::tcp;
using base::Errc;
using base::Expected;
using base::fail;

/// Takes h2 or nothing: the service is to speak HTTP/2 with every provider.
int select_h2(SSL*, const unsigned char** out, unsigned char* out_size,
              const unsigned char* offered, unsigned int offered_size, void*) {
  for (unsigned int at = 0; at < offered_size; at += offered[at] + 1U) {
    if (offered[at] == 2 && at + 2 < offered_size && std::memcmp(offered + at + 1, "h2", 2) == 0) {
      *out = offered + at + 1;
      *out_size = 2;
      return SSL_TLSEXT_ERR_OK;
    }
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

Expected<void> configure(ssl::context& tls, const ServerIdentity& identity) {
  boost::system::error_code error;
  SSL_CTX_set_min_proto_version(tls.native_handle(), TLS1_2_VERSION);
  SSL_CTX_set_alpn_select_cb(tls.native_handle(), select_h2, nullptr);
  tls.use_certificate_chain(asio::buffer(identity.certificate_pem), error);
  if (!error) tls.use_private_key(asio::buffer(identity.key_pem), ssl::context::pem, error);
  if (error) return fail(Errc::invalid, "the server certificate: " + error.message());
  return {};
}

}  // namespace

ProviderServer::ProviderServer(async::Timers& timers, ProviderEndpoint& endpoint,
                               const Options& options)
    : timers_(timers),
      endpoint_(endpoint),
      options_(options),
      tls_(ssl::context::tls_server),
      acceptor_(timers.executor()),
      tasks_(timers.executor(), report_escape) {}

Expected<std::uint16_t> ProviderServer::start(const ServerIdentity& identity) {
  if (auto configured = configure(tls_, identity); !configured) return fail(configured.error());
  auto port = listen_on(acceptor_, options_.listen);
  if (port)
    tasks_.spawn(
        accept_each(acceptor_, timers_, [this](auto socket) { on_socket(std::move(socket)); }));
  return port;
}

async::Task<void> ProviderServer::stop() {
  acceptor_.close();
  co_await tasks_.stop();
}

void ProviderServer::on_socket(tcp::socket socket) {
  const ProviderConnection::Context context{
      timers_, endpoint_, tasks_, ++connections_, options_.first_streams, options_.max_streams};
  tasks_.spawn(
      serve_provider(std::make_shared<ProviderConnection>(std::move(socket), tls_, context)));
}

}  // namespace notify::simulator
