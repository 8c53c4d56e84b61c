#include "rules/idempotency.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace notify::rules {
namespace {

SendRequest full_request() {
  SendRequest r;
  r.user_id = "a11ce000-0000-4000-8000-000000000001";
  r.conversation_id = "c";
  r.message_id = "m";
  r.type = "message";
  r.title = "Dora";
  r.body = "Hello";
  r.data = {{"a", "1"}, {"b", "2"}};
  r.priority = 1;
  r.expires_at = std::chrono::milliseconds(5);
  r.collapse_id = "x";
  r.badge = 3;
  r.sound = "s";
  r.category = "k";
  r.labels = {{"l", "v"}};
  r.template_use = TemplateUse{"mention", "fr", {{"a", "1"}, {"b", "2"}}};
  return r;
}

TEST(CanonicalRequest, EveryFieldButTheKeyCounts) {
  using Change = void (*)(SendRequest&);
  const Change changes[] = {
      [](SendRequest& r) { r.user_id = "b"; },
      [](SendRequest& r) { r.conversation_id = "d"; },
      [](SendRequest& r) { r.message_id = "n"; },
      [](SendRequest& r) { r.type = "call"; },
      [](SendRequest& r) { r.title = "Eve"; },
      [](SendRequest& r) { r.body = ""; },
      [](SendRequest& r) { r.data[0].second = "9"; },
      [](SendRequest& r) { r.data.pop_back(); },
      [](SendRequest& r) { r.priority = 2; },
      [](SendRequest& r) { r.expires_at.reset(); },
      [](SendRequest& r) { r.collapse_id = "y"; },
      [](SendRequest& r) { r.badge.reset(); },
      [](SendRequest& r) { r.sound = ""; },
      [](SendRequest& r) { r.category = ""; },
      [](SendRequest& r) { r.mutable_content = true; },
      [](SendRequest& r) { r.background = true; },
      [](SendRequest& r) { r.labels.clear(); },
      [](SendRequest& r) { r.template_use.reset(); },
      [](SendRequest& r) { r.template_use->name = "n"; },
      [](SendRequest& r) { r.template_use->locale = ""; },
      [](SendRequest& r) { r.template_use->variables[1].second = "3"; },
      [](SendRequest& r) { r.template_use->variables.clear(); },
      [](SendRequest& r) { r.deliver_at = std::chrono::milliseconds(4); },
  };
  const std::string whole = canonical_request(full_request());
  for (const Change change : changes) {
    SendRequest other = full_request();
    change(other);
    EXPECT_NE(canonical_request(other), whole);
  }
  SendRequest same = full_request();
  same.idempotency_key = "k";
  EXPECT_EQ(canonical_request(same), whole);
}

// The bytes are a contract with the version before and the version after: a repeat may meet either.
TEST(CanonicalRequest, WithoutATemplateItIsWhatItAlwaysWas) {
  SendRequest r;
  r.user_id = "u";
  r.type = "message";
  r.title = "Dora";
  r.labels = {{"l", "v"}};
  EXPECT_EQ(canonical_request(r), "1:u0:0:7:message4:Dora0:1:01:01:-0:1:-0:0:1:01:01:11:l1:v");
}

RC_GTEST_PROP(CanonicalRequest, NeighbouringFieldsNeverRunTogether,
              (const std::string& a, const std::string& b, const std::string& c,
               const std::string& d)) {
  SendRequest one = full_request();
  one.title = a;
  one.body = b;
  SendRequest other = full_request();
  other.title = c;
  other.body = d;
  RC_ASSERT((canonical_request(one) == canonical_request(other)) == (a == c && b == d));
}

}  // namespace
}  // namespace notify::rules
