#pragma once
// What commands that call a running service have in common.

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/expected.hpp"

namespace CLI {
class App;
}

namespace notify::edges {

/// Where the service listens, and what it and who asks prove themselves by (paths of PEM files).
struct ServiceAddress {
  std::string address = "127.0.0.1:50051";
  std::string ca_file;    ///< who has signed the service's certificate; empty: no TLS
  std::string cert_file;  ///< of who asks
  std::string key_file;
  std::string server_name;  ///< in the service's certificate; empty: the host of `address`
};

/// --address, --ca-file, --cert-file, --key-file, --server-name.
/// Lifetime: `service` outlives the command.
void add_service_options(CLI::App* command, ServiceAddress& service);

/// Errors: invalid if a file cannot be read.
[[nodiscard]] base::Expected<std::shared_ptr<grpc::Channel>> channel_to(
    const ServiceAddress& service);

/// What the service answered, with every field it refused.
[[nodiscard]] std::string describe(const grpc::Status& status);

/// Real time: gRPC takes no other.
void set_deadline(grpc::ClientContext& context, const base::Clock& clock,
                  std::chrono::milliseconds timeout);

}  // namespace notify::edges
