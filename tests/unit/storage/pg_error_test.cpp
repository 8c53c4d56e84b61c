#include <gtest/gtest.h>

#include <array>
#include <string>

#include "storage/pg/error.hpp"

namespace notify::pg {
namespace {

using base::Errc;

struct Case {
  std::string_view sqlstate;
  std::string_view constraint;
  Fault fault;
  Errc code;
};

TEST(PgError, EachStateHasItsFaultAndCode) {
  constexpr std::array<Case, 20> kCases{{
      {"22P02", "", Fault::bad_data, Errc::invalid},
      {"22001", "", Fault::bad_data, Errc::invalid},
      {"23502", "", Fault::bad_data, Errc::invalid},
      {"23503", "fk", Fault::bad_data, Errc::invalid},
      {"23505", "pk", Fault::duplicate, Errc::conflict},
      {"23514", "positive", Fault::bad_data, Errc::invalid},
      {"23514", "", Fault::no_partition, Errc::invalid},
      {"40001", "", Fault::contention, Errc::unavailable},
      {"40P01", "", Fault::contention, Errc::unavailable},
      {"55P03", "", Fault::contention, Errc::unavailable},
      {"0A000", "", Fault::stale_statement, Errc::unavailable},
      {"57014", "", Fault::server, Errc::timed_out},
      {"57P01", "", Fault::server, Errc::unavailable},
      {"53300", "", Fault::server, Errc::overloaded},
      {"53100", "", Fault::server, Errc::unavailable},
      {"25006", "", Fault::server, Errc::unavailable},
      {"08006", "", Fault::connection, Errc::unavailable},
      {"42501", "", Fault::programming, Errc::permission_denied},
      {"42601", "", Fault::programming, Errc::internal},
      {"XX001", "", Fault::server, Errc::corrupt},
  }};
  for (const Case& c : kCases) {
    const QueryError error = classify({.sqlstate = c.sqlstate, .constraint = c.constraint});
    EXPECT_EQ(error.fault, c.fault) << c.sqlstate;
    EXPECT_EQ(error.error.code, c.code) << c.sqlstate;
    EXPECT_EQ(error.sqlstate, c.sqlstate);
  }
}

TEST(PgError, DropsMessagesThatCanHoldValues) {
  for (const char* state : {"22P02", "P0001", "XX000", "", "99999"}) {
    const QueryError error =
        classify({.sqlstate = state, .message = "invalid input: \"secret\"", .table = "devices"});
    EXPECT_EQ(error.error.detail.find("secret"), std::string::npos) << state;
    EXPECT_NE(error.error.detail.find("devices"), std::string::npos) << state;
  }
  const QueryError named = classify({.sqlstate = "42P01", .message = "no relation \"x\""});
  EXPECT_NE(named.error.detail.find("no relation"), std::string::npos);
}

TEST(PgError, IsSafeToRetryOnlyWithoutDoubt) {
  QueryError error = classify({.sqlstate = "40P01"});
  EXPECT_TRUE(error.is_safe_to_retry());
  error.outcome_unknown = true;
  EXPECT_FALSE(error.is_safe_to_retry());
  EXPECT_FALSE(classify({.sqlstate = "23505"}).is_safe_to_retry());
  EXPECT_TRUE(classify({.sqlstate = "23505"}).is_data_error());
  EXPECT_FALSE(classify({.sqlstate = "40P01"}).is_data_error());
}

}  // namespace
}  // namespace notify::pg
