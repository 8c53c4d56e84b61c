#include "contract/stores/worlds.hpp"
#include "fakes/fake_dead_letters.hpp"
#include "fakes/fake_ledger.hpp"
#include "fakes/fake_limiter.hpp"
#include "fakes/fake_queue.hpp"
#include "fakes/fake_settings.hpp"
#include "fakes/fake_templates.hpp"
#include "fakes/fake_time.hpp"
#include "fakes/fake_upkeep.hpp"

namespace notify::contract {
namespace {

class FakeWorld : public virtual World {
 public:
  FakeWorld() { time_.add(loop_); }
  async::Timers& timers() override { return loop_.timers; }
  void drive(const std::function<bool()>& done) override { ASSERT_TRUE(time_.run_until(done)); }
  void pass(std::chrono::milliseconds time) override { time_.run_for(time); }

 protected:
  fakes::ManualClock clock_;
  fakes::FakeLoop loop_{clock_};
  fakes::FakeTime time_{clock_};
  fakes::FakeLink link_{loop_.timers};
};

class FakeLedgerWorld final : public FakeWorld, public LedgerWorld {
 public:
  stores::Ledger& ledger() override { return fake_; }
  stores::History& history() override { return fake_; }
  stores::Backlog& backlog() override { return fake_; }
  stores::Upkeep& upkeep() override { return upkeep_; }
  stores::DeadLetters& dead_letters() override { return dead_letters_; }
  stores::SettingsSource& settings() override { return settings_; }
  stores::SettingsRows& settings_rows() override { return settings_; }
  stores::Templates& templates() override { return templates_; }
  std::vector<std::string> audited() override {
    std::vector<std::string> lines;
    for (const stores::AuditEntry& e : templates_.audited) {
      const std::string key = "\"revision\":";
      std::string revision = e.detail.substr(e.detail.find(key) + key.size());
      revision.pop_back();
      lines.push_back(e.actor + " " + e.action + " " + e.subject_type + " " + e.subject_id + " " +
                      revision);
    }
    return lines;
  }
  std::size_t statements() override { return table_.statements; }
  void set_clock_ahead(std::chrono::milliseconds ahead) override {
    database_clock_.set_ahead(ahead);
  }
  void set_commit_takes(std::chrono::milliseconds time) override {
    table_.commit_takes = [time] { return time; };
  }
  void spoil(base::NotificationId id) override { table_.rows.at(id).is_unreadable = true; }
  void lose_history(base::NotificationId id) override {
    table_.due_alone.emplace(id, table_.rows.at(id).due.value());
    table_.rows.erase(id);
  }

 private:
  fakes::SkewedClock database_clock_{clock_, 0ms};
  fakes::FakeLedgerTable table_{&database_clock_};
  fakes::FakeLedger fake_{table_, link_};
  fakes::FakeOffice office_;
  fakes::FakeUpkeep upkeep_{office_, link_};
  fakes::FakeDeadLetters dead_letters_{table_, link_};
  fakes::FakeSettingsTable settings_table_{{}, {}, &clock_};
  fakes::FakeSettings settings_{settings_table_, link_};
  fakes::FakeTemplates templates_{link_};
};

class FakeQueueWorld final : public FakeWorld, public QueueWorld {
 public:
  Node first() override { return {first_, first_, first_}; }
  Node second() override { return {second_, second_, second_}; }
  stores::SettingsSharing& sharing() override { return sharing_; }
  void empty() override { books_.empty(); }
  void age_epoch() override { books_.age_epoch(); }
  void replace_server() override { books_.restart_with(books_); }
  void fail_back() override { books_.fail_back_with(books_); }

 private:
  fakes::FakeQueueBooks books_;
  fakes::FakeQueue first_{books_, link_, "first"};
  fakes::FakeQueue second_{books_, link_, "second"};
  fakes::FakeSharedTable shared_{{}, &clock_};
  fakes::FakeSettingsSharing sharing_{shared_, link_};
};

class FakeLimiterWorld final : public FakeWorld, public LimiterWorld {
 public:
  stores::Limiter& first() override { return first_; }
  stores::Limiter& second() override { return second_; }

 private:
  fakes::FakeLimits limits_{clock_};
  fakes::FakeLimiter first_{limits_, link_};
  fakes::FakeLimiter second_{limits_, link_};
};

std::unique_ptr<LedgerWorld> make_ledger_world() { return std::make_unique<FakeLedgerWorld>(); }
std::unique_ptr<QueueWorld> make_queue_world() { return std::make_unique<FakeQueueWorld>(); }
std::unique_ptr<LimiterWorld> make_limiter_world() { return std::make_unique<FakeLimiterWorld>(); }

}  // namespace

std::vector<MakeLedgerWorld> ledger_worlds() { return {&make_ledger_world}; }
std::vector<MakeQueueWorld> queue_worlds() { return {&make_queue_world}; }
std::vector<MakeLimiterWorld> limiter_worlds() { return {&make_limiter_world}; }

INSTANTIATE_TEST_SUITE_P(Fake, LedgerContract, testing::Values(&make_ledger_world));
INSTANTIATE_TEST_SUITE_P(Fake, QueueContract, testing::Values(&make_queue_world));

}  // namespace notify::contract
