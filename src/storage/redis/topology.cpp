#include "storage/redis/topology.hpp"

#include <utility>

namespace notify::redis {

namespace {

class FixedServer final : public Topology {
 public:
  explicit FixedServer(Address address) : address_(std::move(address)) {}

  async::Task<base::Expected<Address>> primary_of(std::optional<std::uint16_t> /*slot*/) override {
    co_return address_;
  }

 private:
  Address address_;
};

}  // namespace

base::Expected<std::unique_ptr<Topology>> make_topology(const Url& url) {
  if (const auto supported = check_supported(url); !supported) return base::fail(supported.error());
  return std::unique_ptr<Topology>(
      std::make_unique<FixedServer>(std::get<SingleServer>(url.topology).address));
}

}  // namespace notify::redis
