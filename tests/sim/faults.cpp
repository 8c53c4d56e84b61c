// The faults of a run: when, where, for how long; and how each is made and ended.

#include <algorithm>
#include <array>
#include <utility>

#include "sim/world.hpp"

namespace notify::sim {

using base::Errc;

const char* name(Fault fault) {
  switch (fault) {
    case Fault::crash: return "crash";
    case Fault::freeze: return "freeze";
    case Fault::cut: return "cut";
    case Fault::slow_link: return "slow link";
    case Fault::flaky_queue: return "flaky queue";
    case Fault::flaky_ledger: return "flaky ledger";
    case Fault::queue_down: return "queue down";
    case Fault::queue_emptied: return "queue emptied";
    case Fault::queue_went_back: return "queue went back";
    case Fault::queue_restarted: return "queue restarted";
    case Fault::ledger_down: return "ledger down";
    case Fault::provider_slow: return "provider slow";
    case Fault::provider_down: return "provider down";
    case Fault::provider_cut: return "provider cut";
    case Fault::devices_down: return "devices down";
    case Fault::clock_jump: return "clock jump";
    case Fault::second_elected: return "second elected";
    case Fault::clock_off: return "clock off";
    case Fault::commits_late: return "commits late";
    case Fault::queue_failed_back: return "queue failed back";
    case Fault::flood: return "flood";
    case Fault::provider_dead: return "provider dead";
    case Fault::left_alone: return "left alone";
  }
  return "?";
}

bool excuses_repeats(Fault fault) {
  switch (fault) {
    case Fault::crash:
    case Fault::freeze:
    case Fault::cut:
    case Fault::slow_link:
    case Fault::flaky_queue:
    case Fault::queue_down: return true;
    default: return false;
  }
}

void World::begin_a_fault() {
  next_fault_ = steady_now() + between(1500ms, 9s);
  begin(static_cast<Fault>(draw(kFaults - 1)));  // the last one comes at the end
}

void World::begin(Fault fault) {
  switch (fault) {
    case Fault::crash:
    case Fault::freeze:
    case Fault::cut:
    case Fault::slow_link:
    case Fault::flaky_queue:
    case Fault::flaky_ledger:
    case Fault::clock_jump:
    case Fault::clock_off: {
      Slot& slot = slots_[draw(slots_.size())];
      if (slot.node && !slot.node->frozen) begin_at(fault, slot);
      return;
    }
    default: begin_everywhere(fault);
  }
}

namespace {

void clear_queue(fakes::Node& node) {
  for (fakes::FakeFault* fault : node.queue.faults.all()) fault->clear();
  node.shared_settings.fault.clear();
}
void clear_ledger(fakes::Node& node) {
  for (fakes::FakeFault* fault : node.ledger.faults.all()) fault->clear();
}

}  // namespace

/// The node may be dead by then, and another one in its place.
std::function<void()> World::later_at(int number, void (*end)(fakes::Node&)) {
  return [this, number, end] {
    for (Slot& slot : slots_) {
      if (slot.node && slot.number == number) end(*slot.node);
    }
  };
}

void World::everywhere(const std::function<void(fakes::Node&)>& act) {
  for (Slot& slot : slots_) {
    if (slot.node) act(*slot.node);
  }
}

/// A fault of a machine strikes all its workers.
void World::begin_at(Fault fault, Slot& slot) {
  fakes::Node& node = *slot.node;
  const auto later = [&](void (*end)(fakes::Node&)) { return later_at(slot.number, end); };
  const auto at_machine = [&](milliseconds lasts, const std::function<void(fakes::Node&)>& act,
                              void (*end)(fakes::Node&)) {
    for (Slot* one : machine_of(slot)) {
      if (!one->node || one->node->frozen) continue;
      act(*one->node);
      window(fault, lasts, later_at(one->number, end));
    }
  };
  switch (fault) {
    case Fault::crash:
      dies_after_ = std::pair(slot.number, draw(300));
      return window(fault, 3s, [] {});
    case Fault::freeze:
      // Sometimes for so long that all it knew is old.
      return at_machine(
          draw(5) == 0 ? between(40s, 75s) : between(200ms, 15s),
          [](fakes::Node& n) { n.freeze(); }, [](fakes::Node& n) { n.thaw(); });
    case Fault::cut:
      return at_machine(
          between(200ms, 15s), [](fakes::Node& n) { n.link.is_cut = true; },
          [](fakes::Node& n) { n.link.is_cut = false; });
    case Fault::slow_link: {
      const milliseconds one_way = between(50ms, 900ms);
      return at_machine(
          between(1s, 12s), [one_way](fakes::Node& n) { n.link.one_way = one_way; },
          [](fakes::Node& n) { n.link.one_way = 5ms; });
    }
    case Fault::clock_off: {
      const milliseconds ahead = between(0ms, 120s) - 60s;
      return at_machine(
          between(2s, 40s), [ahead](fakes::Node& n) { n.clock.set_ahead(ahead); },
          [](fakes::Node& n) { n.clock.set_ahead(0ms); });
    }
    case Fault::flaky_queue:
      for (fakes::FakeFault* one : node.queue.faults.all()) one->flaky(rng_, 40);
      node.shared_settings.fault.flaky(rng_, 40);
      return window(fault, between(500ms, 6s), later(clear_queue));
    case Fault::flaky_ledger:
      for (fakes::FakeFault* one : node.ledger.faults.all()) one->flaky(rng_, 40);
      return window(fault, between(500ms, 6s), later(clear_ledger));
    default:
      node.clock.set_ahead(between(0ms, 3600ms) - 1800ms);
      return window(Fault::clock_jump, 0ms, [] {});
  }
}

void World::begin_everywhere(Fault fault) {
  switch (fault) {
    case Fault::queue_down:
    case Fault::queue_emptied:
    case Fault::queue_went_back:
    case Fault::queue_restarted:
    case Fault::queue_failed_back:
    case Fault::second_elected: return begin_in_queue(fault);
    case Fault::flood: add_flood(); return window(fault, 5s, [] {});
    case Fault::commits_late:
      outside_.table.commit_takes = [this] {
        return draw(3) != 0 ? 0ms : draw(8) != 0 ? between(1s, 40s) : between(40s, 10min);
      };
      return window(fault, between(300ms, 5s), [this] { outside_.table.commit_takes = nullptr; });
    case Fault::ledger_down:
      everywhere([](fakes::Node& n) {
        for (fakes::FakeFault* one : n.ledger.faults.all()) one->fail(Errc::unavailable);
      });
      return window(fault, between(300ms, 8s), [this] { everywhere(clear_ledger); });
    case Fault::provider_slow:
      outside_.apple.holds_answers = true;
      return window(fault, between(300ms, 12s), [this] { outside_.apple.holds_answers = false; });
    case Fault::provider_down:
      outside_.apple.to_all = rules::Outcome{.kind = rules::OutcomeKind::retry_later,
                                             .code = "ServiceUnavailable",
                                             .message = "come back later",
                                             .is_of_server = true};
      return window(fault, between(300ms, 4s), [this] { outside_.apple.to_all.reset(); });
    case Fault::provider_cut:
      outside_.apple.loses_answers = true;
      return window(fault, between(300ms, 4s), [this] { outside_.apple.loses_answers = false; });
    case Fault::provider_dead: {
      constexpr std::array kProviders = {"apns", "fcm", "webpush"};
      const char* const provider = kProviders.at(draw(kProviders.size()));
      using Dead = fakes::FakePushService::Dead;
      outside_.apple.dead[provider] = draw(2) == 0 ? Dead::refuses : Dead::hangs;
      return window(fault, between(1s, 40s),
                    [this, provider] { outside_.apple.dead.erase(provider); });
    }
    default:
      everywhere([](fakes::Node& n) { n.devices.faults.user_devices.fail(Errc::unavailable); });
      return window(Fault::devices_down, between(300ms, 8s), [this] {
        everywhere([](fakes::Node& n) { n.devices.faults.user_devices.clear(); });
      });
  }
}

void World::begin_in_queue(Fault fault) {
  switch (fault) {
    case Fault::queue_down:
      everywhere([](fakes::Node& n) {
        for (fakes::FakeFault* one : n.queue.faults.all()) one->fail(Errc::unavailable);
        n.shared_settings.fault.fail(Errc::unavailable);
      });
      // Sometimes for so long that what waits is older than what a sweep looks at.
      return window(fault, draw(6) == 0 ? between(25s, 40s) : between(300ms, 9s),
                    [this] { everywhere(clear_queue); });
    case Fault::queue_emptied:
      outside_.books.empty();
      outside_.shared_settings.entries.clear();
      return window(fault, 0ms, [] {});
    case Fault::queue_went_back:
      return window(fault, between(100ms, 3s),
                    [this, before = fakes::FakeQueueData(outside_.books),
                     shared = outside_.shared_settings.entries] {
                      outside_.books.restart_with(before);
                      outside_.shared_settings.entries = shared;
                    });
    case Fault::queue_failed_back:
      return window(fault, between(100ms, 3s),
                    [this, before = fakes::FakeQueueData(outside_.books),
                     shared = outside_.shared_settings.entries] {
                      outside_.books.fail_back_with(before);
                      outside_.shared_settings.entries = shared;
                    });
    case Fault::queue_restarted:
      outside_.books.restart_with(outside_.books);
      return window(fault, 0ms, [] {});
    default: outside_.books.elected = {}; return window(Fault::second_elected, 0ms, [] {});
  }
}

void World::window(Fault fault, milliseconds lasts, std::function<void()> undo) {
  faults_.push_back({fault, now(), base::WallTime::max()});
  undos_.push_back({steady_now() + lasts, faults_.size() - 1, std::move(undo)});
}

void World::end_faults(bool all) {
  for (std::size_t i = 0; i < undos_.size();) {
    if (!all && steady_now() < undos_[i].at) {
      ++i;
      continue;
    }
    Undo undo = std::move(undos_[i]);
    undos_.erase(undos_.begin() + static_cast<std::ptrdiff_t>(i));
    undo.undo();
    FaultWindow& fault = faults_[undo.window];
    fault.until = now();
    if (fault.fault != Fault::commits_late) continue;
    // Until then others with the same keys wait, and the company they are in.
    for (const auto& open : outside_.table.open) {
      fault.until = std::max(fault.until, open.commits_at);
    }
  }
}

}  // namespace notify::sim
