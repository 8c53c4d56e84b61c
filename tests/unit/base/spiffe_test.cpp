#include "base/spiffe.hpp"

#include <gtest/gtest.h>

#include <string>

namespace notify::base {
namespace {

TEST(SpiffeId, NamesATrustDomainAndAPath) {
  for (const char* id :
       {"spiffe://whispr.example/messaging-service",
        "spiffe://cluster.local/ns/default/sa/auth_service.v2", "spiffe://1-2_3.x/A/b"}) {
    EXPECT_TRUE(is_spiffe_id(id)) << id;
  }
}

TEST(SpiffeId, HasOneSpellingAndNothingElse) {
  for (const char* text : {"",
                           "spiffe://",
                           "spiffe:///path",
                           "spiffe://whispr.example",
                           "https://whispr.example/a",
                           "SPIFFE://whispr.example/a",
                           "spiffe://Whispr.example/a",
                           "spiffe://whispr.example:8080/a",
                           "spiffe://me@whispr.example",
                           "spiffe://whispr.example/",
                           "spiffe://whispr.example//a",
                           "spiffe://whispr.example/a/",
                           "spiffe://whispr.example/a/../b",
                           "spiffe://whispr.example/.",
                           "spiffe://whispr.example/a?b",
                           "spiffe://whispr.example/a#b",
                           "spiffe://whispr.example/%41",
                           "spiffe://whispr.example/a b",
                           " spiffe://whispr.example/a",
                           "spiffe://whispr.example/\xc3\xa9"}) {
    EXPECT_FALSE(is_spiffe_id(text)) << text;
  }
}

TEST(SpiffeId, FitsIntoTheColumnsThatRecordIt) {
  const std::string domain = "spiffe://d/";
  EXPECT_TRUE(is_spiffe_id(domain + std::string(kSpiffeIdMax - domain.size(), 'a')));
  EXPECT_FALSE(is_spiffe_id(domain + std::string(kSpiffeIdMax + 1 - domain.size(), 'a')));
}

}  // namespace
}  // namespace notify::base
