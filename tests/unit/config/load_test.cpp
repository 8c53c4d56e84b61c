#include "config/load.hpp"

#include <gtest/gtest.h>
#include <algorithm>
#include <set>

#include "config/field.hpp"
#include "unit/config/scratch_file.hpp"

namespace notify::config {

/// What gtest shows of a problem when a comparison fails.
void PrintTo(const Problem& problem, std::ostream* out) { *out << to_string(problem); }

namespace {

LoadOptions from(const ScratchFile& file, Environment environment = {}) {
  return {.file = file.path(), .environment = std::move(environment), .host_name = "node-1"};
}

LoadOptions from(Environment environment) {
  return {.environment = std::move(environment), .host_name = "node-1"};
}

Problems problems_of(const LoadOptions& options) {
  const auto loaded = load(options);
  return loaded ? Problems{} : loaded.error();
}

TEST(Load, NothingAtAllGivesTheDefaults) {
  const auto config = load(from(Environment{}));
  ASSERT_TRUE(config);
  EXPECT_EQ(config->grpc.listen, (Address{"127.0.0.1", 50051}));
  EXPECT_EQ(config->service.node_name, "node-1");
  EXPECT_EQ(config->origin_of("grpc.listen"), "default");
  EXPECT_TRUE(check(*config).empty());
}

TEST(Load, TheEnvironmentWinsOverTheFile) {
  const ScratchFile file("accept:\n  batch_max: 100\n  waiting_max: 200\n");
  const auto config = load(from(file, {{"NOTIFY_ACCEPT_BATCH_MAX", "50"}, {"PATH", "/bin"}}));
  ASSERT_TRUE(config);
  EXPECT_EQ(config->accept.batch_max, 50U);
  EXPECT_EQ(config->accept.waiting_max, 200U);
  EXPECT_EQ(config->origin_of("accept.batch_max"), "env NOTIFY_ACCEPT_BATCH_MAX");
  EXPECT_EQ(config->origin_of("accept.waiting_max"), file.at(3, 3));
}

TEST(Load, EveryProblemIsReportedAtOnceWithItsPlace) {
  const ScratchFile file(
      "grpc:\n  listen: nowhere\n  lisen: 1:1\nservice:\n  workers: 65\nrabbitmq:\n  depth: 1\n");
  const Problems problems = problems_of(from(file, {{"NOTIFY_LOG_LEVLE", "info"}}));
  const Problems expected = {
      {file.at(2, 3), "grpc.listen: 'nowhere' is not an address",
       "write host:port, or [address]:port for IPv6"},
      {file.at(3, 3), "there is no setting 'grpc.lisen'", "did you mean 'grpc.listen'?"},
      {file.at(5, 3), "service.workers: 65 is out of range", "allowed: 1 to 64"},
      {file.at(6, 1), "there is no setting 'rabbitmq'", "all names are in docs/CONFIGURATION.md"},
      {"env NOTIFY_LOG_LEVLE", "there is no such setting", "did you mean 'NOTIFY_LOG_LEVEL'?"},
  };
  EXPECT_EQ(problems, expected);
}

TEST(Load, AMisspelledSectionIsNamedWithTheRightOne) {
  const ScratchFile file("grcp:\n  listen: 1:1\n");
  const Problems problems = problems_of(from(file));
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].hint, "did you mean 'grpc'?");
}

TEST(Load, AKeyThatStandsTwiceIsAnError) {
  const ScratchFile file("log:\n  level: info\n  level: warn\n");
  const Problems problems = problems_of(from(file));
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].where, file.at(3, 3));
  EXPECT_EQ(problems[0].hint, "the first is at " + file.at(2, 3));
}

TEST(Load, ASectionThatStandsTwiceIsAnError) {
  const ScratchFile file("log:\n  level: info\nlog:\n  format: text\n");
  ASSERT_EQ(problems_of(from(file)).size(), 1U);
}

TEST(Load, WrongKindsOfNodesAreErrors) {
  EXPECT_EQ(problems_of(from(ScratchFile("grpc: 5\n"))).size(), 1U);
  EXPECT_EQ(problems_of(from(ScratchFile("grpc:\n  listen:\n"))).size(), 1U);
  EXPECT_EQ(problems_of(from(ScratchFile("grpc:\n  listen: {a: b}\n"))).size(), 1U);
  EXPECT_EQ(problems_of(from(ScratchFile("- a\n- b\n"))).size(), 1U);
  EXPECT_EQ(problems_of(from(ScratchFile("log:\n  level: info\n---\nlog:\n"))).size(), 1U);
}

TEST(Load, BrokenYamlIsReportedWithItsLine) {
  const ScratchFile file("log:\n  level: \"info\n");
  const Problems problems = problems_of(from(file));
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_TRUE(problems[0].where.starts_with(file.path().string() + ":")) << problems[0].where;
}

TEST(Load, EmptyFilesAndEmptySectionsAreFine) {
  EXPECT_TRUE(load(from(ScratchFile(""))));
  EXPECT_TRUE(load(from(ScratchFile("# nothing\n"))));
  EXPECT_TRUE(load(from(ScratchFile("grpc:\n#  listen: 1:1\n"))));
}

TEST(Load, AMissingFileIsAnError) {
  const Problems problems = problems_of({.file = FilePath("/nonexistent/n.yaml")});
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(to_string(problems[0]),
            "/nonexistent/n.yaml: cannot be read (check that it exists and who may read it)");
}

TEST(Load, AnAliasBombStaysFolded) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 30; ++i) {
    const std::string previous = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + previous;
    for (int j = 0; j < 9; ++j) text += ", " + previous;
    text += "]\n";
  }
  EXPECT_EQ(problems_of(from(ScratchFile(text))).size(), 30U);
}

TEST(Load, OtherNamesOfTheProgramArePassedOver) {
  LoadOptions options = from({{"NOTIFY_CONFIG", "/etc/n.yaml"}});
  EXPECT_FALSE(load(options));
  options.other_names = {"NOTIFY_CONFIG"};
  EXPECT_TRUE(load(options));
}

TEST(Load, ListsCanComeFromBoth) {
  const ScratchFile file("deliver:\n  retry_delays: [1s, 2s]\n");
  EXPECT_EQ(load(from(file))->deliver.retry_delays, (std::vector<Duration>{1s, 2s}));
  EXPECT_EQ(load(from({{"NOTIFY_DELIVER_RETRY_DELAYS", "3s,4s"}}))->deliver.retry_delays,
            (std::vector<Duration>{3s, 4s}));
}

TEST(Load, ProblemsNeverShowSecrets) {
  const Problems problems = problems_of(from(
      {{"NOTIFY_POSTGRES_URL", "mysql://u:hunter2@h/db"}, {"NOTIFY_LOG_USER_KEY", "hunter2"}}));
  ASSERT_EQ(problems.size(), 2U);
  for (const Problem& problem : problems) {
    EXPECT_EQ(to_string(problem).find("hunter2"), std::string::npos) << to_string(problem);
  }
}

TEST(Fields, HaveUniqueKeysNamesAndADefaultThatIsAllowed) {
  std::set<std::string> names;
  std::set<std::string_view> ended_sections;
  std::string_view section;
  for (const Field& field : fields()) {
    EXPECT_TRUE(names.insert(field.environment_name()).second) << field.key;
    EXPECT_TRUE(field.help.ends_with('.')) << field.key;
    EXPECT_EQ(std::count(field.key.begin(), field.key.end(), '.'), 1) << field.key;
    if (field.section() != section) {
      EXPECT_TRUE(ended_sections.insert(field.section()).second) << field.key;
      section = field.section();
    }
  }
  EXPECT_EQ(find_field("apns.key_file")->environment_name(), "NOTIFY_APNS_KEY_FILE");
}

}  // namespace
}  // namespace notify::config
