#include "edges/rest/forgeries.hpp"

#include <algorithm>
#include <boost/asio/ip/address.hpp>

namespace notify::edges::rest {
namespace {

using std::chrono::milliseconds;

milliseconds since_start(base::SteadyTime now) {
  return std::chrono::floor<milliseconds>(now.time_since_epoch());
}

stores::LimitClaim claim_of(std::string_view address, std::int64_t allowed) {
  return {{network_of(address), allowed, std::chrono::minutes(1), 0}};
}

}  // namespace

std::string network_of(std::string_view address) {
  boost::system::error_code error;
  const auto parsed = boost::asio::ip::make_address(address, error);
  if (error || parsed.is_v4()) return std::string(address);
  if (parsed.to_v6().is_v4_mapped()) {
    return make_address_v4(boost::asio::ip::v4_mapped, parsed.to_v6()).to_string();
  }
  auto bytes = parsed.to_v6().to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
  return boost::asio::ip::address_v6(bytes).to_string() + "/64";
}

std::optional<milliseconds> Forgeries::wait(std::string_view address, base::SteadyTime now) {
  const auto standing = counters_.look(claim_of(address, kMax), since_start(now)).front();
  return standing.counted < kMax ? std::nullopt : std::optional(standing.resets_in);
}

void Forgeries::add(std::string_view address, base::SteadyTime now) {
  static_cast<void>(counters_.take(claim_of(address, kMax), since_start(now)));
}

}  // namespace notify::edges::rest
