#include "push-simulator/fcm_server.hpp"

#include <fmt/format.h>

#include <utility>

#include "push-simulator/files.hpp"

namespace notify::simulator {

FcmServer::FcmServer(async::Timers& timers, const FcmTargets& targets, const Parts& parts,
                     Options options, Detail detail)
    : options_(std::move(options)),
      ledger_(detail),
      oauth_(options_.token_lifetime, parts.rng),
      rules_(targets),
      endpoint_(rules_, oauth_, {parts.faults, ledger_, parts.log, parts.clock}, parts.rng),
      server_(timers, endpoint_, {options_.listen, options_.max_streams, options_.max_streams}) {}

base::Expected<std::uint16_t> FcmServer::start(const ServerIdentity& identity,
                                               const std::filesystem::path& directory) {
  auto key = load_or_make_rsa_key(directory / "fcm-key.pem");
  if (!key) return base::fail(key.error());
  auto port = server_.start(identity);
  if (!port) return port;
  oauth_.set_account(
      {.project_id = options_.project_id,
       .client_email = fmt::format("push@{}.iam.gserviceaccount.com", options_.project_id),
       .key_id = "0123456789abcdef0123456789abcdef01234567",
       .token_uri = fmt::format("https://127.0.0.1:{}/token", *port)},
      *std::move(key));
  const auto file = oauth_.key_file();
  if (!file) return base::fail(file.error());
  const auto written =
      replace_file(directory / "fcm-service-account.json", *file, FileMode::owner_only);
  if (!written) return base::fail(written.error());
  return port;
}

}  // namespace notify::simulator
