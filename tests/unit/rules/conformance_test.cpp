#include "rules/conformance.hpp"

#include <gtest/gtest.h>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>

#include "rules/providers_page.hpp"

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
  const std::string path = NOTIFY_SOURCE_DIR "/docs/PROVIDERS.md";
  std::ifstream file(path);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  const std::string begin = "<!-- generated: begin -->\n";
  const std::string end = "\n<!-- generated: end -->\n";
  const std::size_t from = text.find(begin);
  const std::size_t to = text.find(end);
  ASSERT_NE(from, text.npos) << path;
  ASSERT_NE(to, text.npos) << path;
  const std::string wanted =
      text.substr(0, from + begin.size()) + providers_markdown() + text.substr(to);
  if (std::getenv("UPDATE_DOCS") != nullptr) std::ofstream(path) << wanted;
  EXPECT_TRUE(text == wanted || std::getenv("UPDATE_DOCS") != nullptr)
      << "docs/PROVIDERS.md does not match the code; run this test with UPDATE_DOCS=1";
}

}  // namespace
}  // namespace notify::rules
