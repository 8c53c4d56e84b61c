#pragma once
// Who was elected, in memory, and what the elected node has done in PostgreSQL.

#include <string>

#include "fakes/fake_link.hpp"
#include "stores/upkeep.hpp"

namespace notify::fakes {

struct FakeOffice {
  std::int64_t token = 0;
  std::string holder;
  std::size_t partitions_made = 0;  ///< how often
  std::size_t retired = 0;          ///< how often
};

/// Lifetime: `office` and `link` outlive this.
class FakeUpkeep final : public stores::Upkeep {
 public:
  FakeFault fault;

  FakeUpkeep(FakeOffice& office, FakeLink& link) : office_(office), link_(link) {}

  [[nodiscard]] async::Task<base::Expected<stores::FencingToken>> take_office(
      std::string holder, base::Deadline) override {
    return link_.travel(fault, [this, holder = std::move(holder)] {
      office_.holder = holder;
      return base::Expected<stores::FencingToken>(stores::FencingToken{++office_.token});
    });
  }

  [[nodiscard]] async::Task<base::Expected<std::size_t>> make_partitions(stores::FencingToken token,
                                                                         base::Deadline) override {
    return link_.travel(fault, [this, token]() -> base::Expected<std::size_t> {
      if (token.value != office_.token) {
        return base::fail(base::Errc::conflict, "another node was elected since");
      }
      ++office_.partitions_made;
      link_.note({.kind = Journal::Kind::kept_up, .token = token.value});
      return std::size_t{0};
    });
  }

  [[nodiscard]] async::Task<base::Expected<std::size_t>> retire(stores::FencingToken token,
                                                                base::Deadline) override {
    return link_.travel(fault, [this, token]() -> base::Expected<std::size_t> {
      if (token.value != office_.token) {
        return base::fail(base::Errc::conflict, "another node was elected since");
      }
      ++office_.retired;
      return std::size_t{0};
    });
  }

 private:
  FakeOffice& office_;
  FakeLink& link_;
};

}  // namespace notify::fakes
