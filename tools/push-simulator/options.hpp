#pragma once
// The command line.

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "push-simulator/apns_rules.hpp"
#include "push-simulator/fcm_server.hpp"
#include "push-simulator/ledger.hpp"

namespace notify::simulator {

struct Options {
  boost::asio::ip::tcp::endpoint apns_listen;
  FcmServer::Options fcm;
  boost::asio::ip::tcp::endpoint webpush_listen;
  boost::asio::ip::tcp::endpoint expired_listen;
  boost::asio::ip::tcp::endpoint browser_listen;
  boost::asio::ip::tcp::endpoint auth_listen;
  boost::asio::ip::tcp::endpoint control_listen;
  std::filesystem::path state_dir;
  std::filesystem::path apns_key_file;
  std::string apns_key_id;
  std::string apns_team_id;
  ApnsSettings apns;
  std::uint32_t apns_max_streams = 1000;
  std::uint32_t webpush_decrypt_every = 1;
  Detail detail = Detail::full;
};

struct ParsedOptions {
  std::optional<Options> options;  ///< absent: leave with `exit_code`
  int exit_code = 0;
};

/// Prints the help, or what is wrong with the arguments (exit code 2).
[[nodiscard]] ParsedOptions parse_options(int argc, char** argv);

}  // namespace notify::simulator
