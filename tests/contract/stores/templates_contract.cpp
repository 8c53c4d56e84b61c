#include "contract/stores/worlds.hpp"

namespace notify::contract {
namespace {

using base::Errc;
using base::Expected;
using stores::AuditEntry;
using stores::TemplatePage;
using stores::TemplateRow;

class TemplatesContract : public LedgerContract {
 protected:
  AuditEntry entry(std::uint8_t n, std::string action = "template.created") {
    return {base::uuid_v7_from(started, {0, 0, 0, 0, 0, 0, 0, 0, 9, n}),
            "dora",
            std::move(action),
            "template",
            "a_name",
            R"({"why": "a test"})"};
  }
  static TemplateRow row(std::string name, std::string type = "message") {
    return {std::move(name), std::move(type), R"({"title": "{{a}} é \"b\""})", true, 0, {}, {}};
  }
  Expected<TemplateRow> create(TemplateRow row, std::uint8_t n = 1) {
    return world->run(world->templates().create(std::move(row), entry(n), world->soon()));
  }
  Expected<TemplateRow> update(TemplateRow row, std::uint8_t n = 2) {
    return world->run(
        world->templates().update(std::move(row), entry(n, "template.updated"), world->soon()));
  }
  Expected<TemplateRow> find(std::string name) {
    return world->run(world->templates().find(std::move(name), world->soon()));
  }
  std::vector<std::string> names(const TemplatePage& page) {
    const auto rows = world->run(world->templates().list(page, world->soon()));
    EXPECT_TRUE(rows) << (rows ? "" : rows.error().detail);
    std::vector<std::string> names;
    if (!rows) return names;
    for (const TemplateRow& row : *rows) names.push_back(row.name);
    return names;
  }
};

using Names = std::vector<std::string>;

TEST_P(TemplatesContract, WhatIsCreatedIsFoundAndOnRecord) {
  const auto made = create(row("a_name", "call"));
  ASSERT_TRUE(made) << made.error().detail;
  const auto found = find("a_name");
  ASSERT_TRUE(found) << found.error().detail;
  for (const TemplateRow& one : {*made, *found}) {
    EXPECT_EQ(one.name, "a_name");
    EXPECT_EQ(one.type, "call");
    EXPECT_EQ(one.data, row("").data);
    EXPECT_TRUE(one.active);
    EXPECT_EQ(one.revision, 1);
    EXPECT_EQ(one.created_at, one.updated_at);
    EXPECT_LT(std::chrono::abs(one.created_at - world->now()), 10s);
  }
  EXPECT_EQ(world->audited(), (Names{"dora template.created template a_name 1"}));
}

TEST_P(TemplatesContract, ANameIsTakenOnceAndWhatIsRefusedIsNotOnRecord) {
  ASSERT_TRUE(create(row("a_name")));
  TemplateRow other = row("a_name", "call");
  EXPECT_EQ(create(other, 2).error().code, Errc::already_exists);
  EXPECT_EQ(find("a_name")->type, "message");
  EXPECT_EQ(find("another").error().code, Errc::not_found);
  EXPECT_EQ(world->audited().size(), 1u);
}

TEST_P(TemplatesContract, AChangeMakesARevisionAndNeedsTheOneBefore) {
  TemplateRow changed = *create(row("a_name"));
  world->pass(20ms);
  const base::WallTime created = changed.created_at;
  changed.type = "call";
  changed.data = R"({"title": "new"})";
  changed.active = false;
  const auto updated = update(changed);
  ASSERT_TRUE(updated) << updated.error().detail;
  EXPECT_EQ(updated->revision, 2);
  EXPECT_EQ(updated->type, "call");
  EXPECT_EQ(updated->data, R"({"title": "new"})");
  EXPECT_FALSE(updated->active);
  EXPECT_EQ(updated->created_at, created);
  EXPECT_GT(updated->updated_at, created);
  EXPECT_EQ(find("a_name")->revision, 2);

  EXPECT_EQ(update(changed, 3).error().code, Errc::conflict);
  EXPECT_EQ(update(row("another"), 4).error().code, Errc::not_found);
  EXPECT_EQ(world->audited(), (Names{"dora template.created template a_name 1",
                                     "dora template.updated template a_name 2"}));
}

TEST_P(TemplatesContract, OfTwoChangesAtOnceOneIsDone) {
  const TemplateRow made = *create(row("a_name"));
  std::vector<async::Task<Expected<TemplateRow>>> tasks;
  for (std::uint8_t n = 2; n < 6; ++n) {
    tasks.push_back(world->templates().update(made, entry(n, "template.updated"), world->soon()));
  }
  int done = 0;
  for (const auto& result : world->run_all(std::move(tasks))) {
    if (result) ++done;
    if (!result) EXPECT_EQ(result.error().code, Errc::conflict) << result.error().detail;
  }
  EXPECT_EQ(done, 1);
  EXPECT_EQ(find("a_name")->revision, 2);
  EXPECT_EQ(world->audited().size(), 2u);
}

TEST_P(TemplatesContract, PagesGoByNameAndLeaveOutWhatIsInactiveOrOfAnotherType) {
  std::uint8_t n = 1;
  for (const char* name : {"d", "b", "a", "c", "e"}) {
    ASSERT_TRUE(create(row(name, *name == 'c' ? "call" : "message"), n++));
  }
  TemplateRow off = *find("d");
  off.active = false;
  ASSERT_TRUE(update(off, 20));
  EXPECT_EQ(names({}), (Names{"a", "b", "c", "e"}));
  EXPECT_EQ(names({.with_inactive = true}), (Names{"a", "b", "c", "d", "e"}));
  EXPECT_EQ(names({.limit = 2}), (Names{"a", "b"}));
  EXPECT_EQ(names({.after = "b", .limit = 2}), (Names{"c", "e"}));
  EXPECT_EQ(names({.after = "e"}), Names{});
  EXPECT_EQ(names({.type = "call"}), (Names{"c"}));
}

INSTANTIATE_TEST_SUITE_P(World, TemplatesContract, testing::ValuesIn(ledger_worlds()));

}  // namespace
}  // namespace notify::contract
