#include "config/show.hpp"

#include <gtest/gtest.h>

#include "config/load.hpp"
#include "unit/config/scratch_file.hpp"
#include "unit/generated_part.hpp"

namespace notify::config {
namespace {

TEST(Show, TellsEachValueAndItsOrigin) {
  const ScratchFile file("log:\n  level: debug\n");
  const auto config = load({.file = file.path(), .environment = {{"NOTIFY_LOG_FORMAT", "text"}}});
  ASSERT_TRUE(config);
  const std::string text = show(*config);
  EXPECT_NE(text.find("\nlog:\n  level: debug  "), text.npos) << text;
  EXPECT_NE(text.find("  # " + file.at(2, 3) + "\n"), text.npos) << text;
  EXPECT_NE(text.find("  # env NOTIFY_LOG_FORMAT\n"), text.npos) << text;
  EXPECT_NE(text.find("  # default\n"), text.npos) << text;
}

TEST(Show, HidesSecrets) {
  const auto config = load({.environment = {{"NOTIFY_POSTGRES_URL", "postgres://u:hunter2@h/db"},
                                            {"NOTIFY_LOG_USER_KEY", "hunter2hunter2hunter2"}}});
  ASSERT_TRUE(config);
  const std::string text = show(*config);
  EXPECT_EQ(text.find("hunter2"), text.npos) << text;
  EXPECT_NE(text.find("postgres://u:***@h/db"), text.npos) << text;
}

TEST(Show, CanBeReadBack) {
  const auto config = load({.environment = {{"NOTIFY_ADMIN_LISTEN", "[::1]:0"},
                                            {"NOTIFY_SERVICE_NODE_NAME", "a: \"b\" # c"}}});
  ASSERT_TRUE(config);
  const ScratchFile file(show(*config));
  const auto reread = load({.file = file.path()});
  ASSERT_TRUE(reread);
  EXPECT_EQ(reread->admin.listen, config->admin.listen);
  EXPECT_EQ(reread->service.node_name, config->service.node_name);
  EXPECT_EQ(reread->deliver.retry_delays, config->deliver.retry_delays);
  EXPECT_EQ(reread->postgres.url, config->postgres.url);
}

TEST(Reference, IsWhatTheDocumentSays) {
  tests::expect_generated_part("CONFIGURATION.md", reference_markdown());
}

}  // namespace
}  // namespace notify::config
