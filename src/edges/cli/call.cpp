#include "edges/cli/call.hpp"

#include <CLI/CLI.hpp>
#include <fstream>
#include <sstream>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace notify::edges {
namespace {

/// Empty: there is none.
base::Expected<std::string> read(const std::string& file) {
  if (file.empty()) return std::string();
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  if (text.str().empty()) return base::fail(base::Errc::invalid, file + " cannot be read");
  return text.str();
}

}  // namespace

void add_service_options(CLI::App* command, ServiceAddress& service) {
  command->add_option("--address", service.address, "Where the service listens, host:port")
      ->capture_default_str();
  auto* ca = command->add_option("--ca-file", service.ca_file,
                                 "Who has signed the service's certificate (PEM); without it the "
                                 "call is not encrypted");
  auto* cert = command->add_option("--cert-file", service.cert_file, "Your certificate (PEM)");
  auto* key = command->add_option("--key-file", service.key_file, "The private key to it (PEM)");
  ca->check(CLI::ExistingFile);
  cert->check(CLI::ExistingFile)->needs(ca)->needs(key);
  key->check(CLI::ExistingFile)->needs(cert);
  command
      ->add_option("--server-name", service.server_name,
                   "The name in the service's certificate, if it is not the host of --address")
      ->needs(ca);
}

base::Expected<std::shared_ptr<grpc::Channel>> channel_to(const ServiceAddress& service) {
  if (service.ca_file.empty()) {
    return grpc::CreateChannel(service.address, grpc::InsecureChannelCredentials());
  }
  grpc::SslCredentialsOptions options;
  for (const auto& [file, text] : {std::pair(&service.ca_file, &options.pem_root_certs),
                                   std::pair(&service.cert_file, &options.pem_cert_chain),
                                   std::pair(&service.key_file, &options.pem_private_key)}) {
    auto content = read(*file);
    if (!content) return base::fail(std::move(content).error());
    *text = std::move(*content);
  }
  grpc::ChannelArguments arguments;
  if (!service.server_name.empty()) arguments.SetSslTargetNameOverride(service.server_name);
  return grpc::CreateCustomChannel(service.address, grpc::SslCredentials(options), arguments);
}

std::string describe(const grpc::Status& status) {
  std::string text = status.error_message();
  google::rpc::Status details;
  if (!details.ParseFromString(status.error_details())) return text;
  for (const google::protobuf::Any& any : details.details()) {
    google::rpc::BadRequest bad_request;
    if (!any.UnpackTo(&bad_request)) continue;
    for (const auto& violation : bad_request.field_violations()) {
      text += "\n  " + violation.field() + ": " + violation.description();
    }
  }
  return text;
}

void set_deadline(grpc::ClientContext& context, const base::Clock& clock,
                  std::chrono::milliseconds timeout) {
  const std::chrono::system_clock::time_point deadline = clock.now() + timeout;
  context.set_deadline(deadline);
}

}  // namespace notify::edges
