#pragma once
// The OpenSSL inside of TlsContext; kept out of context.hpp, so that nobody else sees OpenSSL.

#include <boost/asio/ssl/context.hpp>

#include "net/tls/context.hpp"

namespace notify::net {

struct TlsContext::Native {
  boost::asio::ssl::context context{boost::asio::ssl::context::tls_client};
};

}  // namespace notify::net
