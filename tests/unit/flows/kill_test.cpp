// A process may die between any two steps. Here one does, at each step in turn, while another lives
// on: whatever was accepted must come to its end, and nothing may be sent more often than faults
// excuse.

#include "unit/flows/world.hpp"

namespace notify::flows {
namespace {

using base::Errc;
using rules::OutcomeKind;
using rules::Status;

/// One run: node "a" accepts and delivers until it has made `steps` steps; "b" lives on.
struct KillRun {
  Outside outside;
  std::vector<std::optional<Answer<Accepted>>> answers;  // the nodes write into it to their end
  std::unique_ptr<Node> a;
  std::unique_ptr<Node> b;
  rules::Device phone = fakes::sample_device(1);
  rules::Device tablet = fakes::sample_device(2);
  std::size_t made = 0;

  explicit KillRun(std::size_t requests) : answers(requests) {
    outside.devices.of_user[fakes::sample_user()] = {phone, tablet};
    NodeOptions options;
    options.retry.delays = {2s, 4s};
    options.limits.idle_poll = 200ms;
    a = std::make_unique<Node>(outside, "a", options);
    b = std::make_unique<Node>(outside, "b", options);
    a->start();
    b->keep_alive();
    outside.time.run_for(10ms);
  }

  /// Returns whether the node died before the work was over.
  bool go(std::size_t steps, bool comes_back) {
    const auto requests = good_requests(answers.size());
    for (std::size_t i = 0; i < answers.size(); ++i) {
      a->background.spawn(async::store_result(accept_one(a->accept, requests[i]), answers[i]));
    }
    bool died = false;
    outside.time.after_step = [&](fakes::FakeLoop& loop) {
      if (&loop == &a->loop && !died && ++made > steps) died = true;
    };
    // All accepted and delivered by `a` takes well under this.
    outside.time.run_until([&] { return died; }, 3s);
    outside.time.after_step = nullptr;
    if (died) a->freeze();
    b->deliver.start();
    if (comes_back) {
      outside.time.run_for(12s);
      if (died) a->thaw();
    }
    outside.time.run_for(30s);
    return died;
  }

  [[nodiscard]] std::size_t answered() const {
    return static_cast<std::size_t>(std::count_if(
        answers.begin(), answers.end(), [](const auto& answer) { return answer.has_value(); }));
  }
  [[nodiscard]] std::size_t accepted() const {
    return static_cast<std::size_t>(
        std::count_if(answers.begin(), answers.end(),
                      [](const auto& answer) { return answer && answer->has_value(); }));
  }
  void check(std::size_t step, std::size_t faults) {
    for (const auto& answer : answers) {
      if (!answer || !*answer) continue;
      ASSERT_TRUE(outside.table.rows.contains((*answer)->id)) << "lost at step " << step;
    }
    std::size_t excess = 0;
    for (const auto& [id, row] : outside.table.rows) {
      EXPECT_EQ(row.record.status, Status::delivered) << "killed at step " << step;
      EXPECT_FALSE(row.due) << "killed at step " << step;
      std::map<base::DeviceId, std::size_t> sends;
      for (const auto& received : outside.apple.received) {
        if (received.notification == id) ++sends[received.device];
      }
      for (const auto& device : {phone, tablet}) {
        EXPECT_GE(sends[device.id], 1u) << "killed at step " << step;
        if (sends[device.id] > 1) excess += sends[device.id] - 1;
        EXPECT_LE(sends[device.id], 1 + faults) << "killed at step " << step;
      }
    }
    EXPECT_TRUE(outside.books.queued.empty()) << "killed at step " << step;
    if (faults == 0) EXPECT_EQ(excess, 0u);
  }
};

TEST(Kill, WithoutADeathEverythingIsSentOnce) {
  KillRun run(3);
  EXPECT_FALSE(run.go(1'000'000, false));
  EXPECT_EQ(run.accepted(), 3u);
  run.check(0, 0);
}

TEST(Kill, ANodeMayDieAtAnyStep) {
  std::size_t deaths = 0;
  for (std::size_t step = 0;; ++step) {
    KillRun run(3);
    if (!run.go(step, false)) break;
    ++deaths;
    run.check(step, 1);
    if (testing::Test::HasFailure() || run.made + 1 > 400) break;
  }
  EXPECT_GE(deaths, 50u);
}

TEST(Kill, ANodeMayStandStillAtAnyStepAndComeBack) {
  for (std::size_t step = 0; step < 300; step += 2) {
    KillRun run(3);
    if (!run.go(step, true)) break;
    // A request that it had not handed to the ledger when it stood still came too late.
    EXPECT_EQ(run.answered(), 3u) << "at step " << step;
    EXPECT_EQ(run.outside.table.rows.size(), run.accepted()) << "at step " << step;
    run.check(step, 1);
    if (testing::Test::HasFailure()) break;
  }
}

TEST(Kill, ADeathAmongOtherFaultsLosesNothing) {
  for (std::size_t step = 0; step < 300; step += 3) {
    KillRun run(3);
    // Each of these excuses one send more for a device.
    run.b->ledger.faults.record.fail(Errc::unavailable, 1);
    run.b->queue.faults.ack.lose_answers(1);
    run.b->queue.faults.lease.lose_answers(1);
    run.a->queue.faults.enqueue.fail(Errc::unavailable, 1);
    run.outside.apple.answer(run.phone, {outcome(OutcomeKind::retry_later)});
    if (!run.go(step, false)) break;
    run.check(step, 3);
    if (testing::Test::HasFailure()) break;
  }
}

}  // namespace
}  // namespace notify::flows
