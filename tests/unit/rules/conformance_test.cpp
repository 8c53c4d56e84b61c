#include "rules/conformance.hpp"

#include <gtest/gtest.h>
#include <set>

#include "rules/providers_page.hpp"
#include "unit/generated_part.hpp"

namespace notify::rules {
namespace {

const base::WallTime kPlayedAt(std::chrono::milliseconds(1'790'000'000'000));

TEST(ConformanceCases, NoRowOfATableIsLeftOut) {
  for (const PushService& service : push_services()) {
    std::set<const Meaning*> rows;
    for (const ConformanceCase& one : answer_cases(service, kPlayedAt)) {
      rows.insert(one.row);
      EXPECT_EQ(one.service, service.name);
    }
    EXPECT_EQ(rows.size(), service.answers.size()) << service.name;
  }
}

TEST(ConformanceCases, ADoubtfulAnswerDropsNoToken) {
  std::size_t doubtful = 0;
  for (const PushService& service : push_services()) {
    for (const ConformanceCase& one : answer_cases(service, kPlayedAt)) {
      if (one.doubt == Doubt::none) continue;
      ++doubtful;
      EXPECT_EQ(one.kind, OutcomeKind::rejected) << one.event;
    }
  }
  EXPECT_EQ(doubtful, 4u) << "two provisos and two rows with a time";
}

TEST(ConformanceCases, ARowThatTriesAgainIsPlayedBothWays) {
  std::size_t once = 0;
  std::size_t always = 0;
  for (const PushService& service : push_services()) {
    for (const ConformanceCase& one : answer_cases(service, kPlayedAt)) {
      if (!tries_again(one.row->leads_to)) continue;
      EXPECT_EQ(one.requests, 2u) << one.event;
      once += one.kind == OutcomeKind::accepted ? 1 : 0;
      always += one.script.ends_with(R"("count":-1)") ? 1 : 0;
    }
  }
  EXPECT_EQ(once, 5u);
  EXPECT_EQ(always, 5u);
}

TEST(ProvidersPage, IsWhatTheDocumentSays) {
  tests::expect_generated_part("PROVIDERS.md", providers_markdown());
}

}  // namespace
}  // namespace notify::rules
