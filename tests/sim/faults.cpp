// The faults of a run: when, where, for how long; and how each is made and ended.

#include <algorithm>
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
  begin(static_cast<Fault>(draw(kFaults)));
}

void World::begin(Fault fault) {
  switch (fault) {
    case Fault::crash:
    case Fault::freeze:
    case Fault::cut:
    case Fault::slow_link:
    case Fault::flaky_queue:
    case Fault::flaky_ledger:
    case Fault::clock_jump: {
      Slot& slot = slots_[draw(slots_.size())];
      if (slot.node && !slot.node->frozen) begin_at(fault, slot);
      return;
    }
    default: begin_everywhere(fault);
  }
}

/// `undo` may find the node dead and another one in its place: it looks first.
void World::begin_at(Fault fault, Slot& slot) {
  fakes::Node& node = *slot.node;
  const int number = slot.number;
  const auto undo = [this, number](void (*end)(fakes::Node&)) {
    return [this, number, end] {
      for (Slot& s : slots_) {
        if (s.node && s.number == number) end(*s.node);
      }
    };
  };
  switch (fault) {
    case Fault::crash:
      dies_after_ = std::pair(number, draw(300));
      window(fault, 3s, [] {});
      return;
    case Fault::freeze:
      node.freeze();
      window(fault, between(200ms, 15s), undo([](fakes::Node& n) { n.thaw(); }));
      return;
    case Fault::cut:
      node.link.is_cut = true;
      window(fault, between(200ms, 15s), undo([](fakes::Node& n) { n.link.is_cut = false; }));
      return;
    case Fault::slow_link:
      node.link.one_way = between(50ms, 900ms);
      window(fault, between(1s, 12s), undo([](fakes::Node& n) { n.link.one_way = 5ms; }));
      return;
    case Fault::flaky_queue: {
      auto& faults = node.queue.faults;
      for (fakes::FakeFault* one : {&faults.enqueue, &faults.lease, &faults.ack, &faults.postpone,
                                    &faults.heartbeat, &faults.leases}) {
        one->flaky(rng_, 40);
      }
      window(fault, between(500ms, 6s), undo([](fakes::Node& n) {
               auto& f = n.queue.faults;
               for (fakes::FakeFault* one :
                    {&f.enqueue, &f.lease, &f.ack, &f.postpone, &f.heartbeat, &f.leases}) {
                 one->clear();
               }
             }));
      return;
    }
    case Fault::flaky_ledger: {
      auto& faults = node.ledger.faults;
      for (fakes::FakeFault* one :
           {&faults.append, &faults.record, &faults.progress, &faults.backlog}) {
        one->flaky(rng_, 40);
      }
      window(fault, between(500ms, 6s), undo([](fakes::Node& n) {
               auto& f = n.ledger.faults;
               for (fakes::FakeFault* one : {&f.append, &f.record, &f.progress, &f.backlog}) {
                 one->clear();
               }
             }));
      return;
    }
    default:
      node.clock.set_ahead(between(0ms, 3600ms) - 1800ms);
      window(Fault::clock_jump, 0ms, [] {});
  }
}

void World::begin_everywhere(Fault fault) {
  const auto each = [this](const std::function<void(fakes::Node&)>& act) {
    for (Slot& slot : slots_) {
      if (slot.node) act(*slot.node);
    }
  };
  switch (fault) {
    case Fault::queue_down:
      for (Slot& slot : slots_) {
        if (!slot.node) continue;
        auto& f = slot.node->queue.faults;
        for (fakes::FakeFault* one :
             {&f.enqueue, &f.lease, &f.ack, &f.postpone, &f.heartbeat, &f.leases}) {
          one->fail(Errc::unavailable);
        }
      }
      window(fault, draw(6) == 0 ? between(25s, 40s) : between(300ms, 9s), [each] {
        each([](fakes::Node& n) {
          auto& f = n.queue.faults;
          for (fakes::FakeFault* one :
               {&f.enqueue, &f.lease, &f.ack, &f.postpone, &f.heartbeat, &f.leases}) {
            one->clear();
          }
        });
      });
      return;
    case Fault::queue_emptied:
      outside_.books.empty();
      window(fault, 0ms, [] {});
      return;
    case Fault::queue_went_back: {
      const auto before = std::make_shared<fakes::FakeQueueData>(outside_.books);
      window(fault, between(100ms, 3s), [this, before] { outside_.books.restart_with(*before); });
      return;
    }
    case Fault::queue_restarted:
      outside_.books.restart_with(outside_.books);
      window(fault, 0ms, [] {});
      return;
    case Fault::ledger_down:
      each([](fakes::Node& n) {
        auto& f = n.ledger.faults;
        for (fakes::FakeFault* one : {&f.append, &f.record, &f.progress, &f.backlog}) {
          one->fail(Errc::unavailable);
        }
      });
      window(fault, between(300ms, 8s), [each] {
        each([](fakes::Node& n) {
          auto& f = n.ledger.faults;
          for (fakes::FakeFault* one : {&f.append, &f.record, &f.progress, &f.backlog}) {
            one->clear();
          }
        });
      });
      return;
    case Fault::provider_slow:
      outside_.apple.holds_answers = true;
      window(fault, between(300ms, 12s), [this] { outside_.apple.holds_answers = false; });
      return;
    case Fault::provider_down:
      outside_.apple.to_all = rules::Outcome{.kind = rules::OutcomeKind::retry_later,
                                             .code = "ServiceUnavailable",
                                             .message = "come back later"};
      window(fault, between(300ms, 4s), [this] { outside_.apple.to_all.reset(); });
      return;
    case Fault::provider_cut:
      outside_.apple.loses_answers = true;
      window(fault, between(300ms, 4s), [this] { outside_.apple.loses_answers = false; });
      return;
    case Fault::devices_down:
      each([](fakes::Node& n) { n.devices.faults.user_devices.fail(Errc::unavailable); });
      window(fault, between(300ms, 8s),
             [each] { each([](fakes::Node& n) { n.devices.faults.user_devices.clear(); }); });
      return;
    default: outside_.books.elected = {}; window(Fault::second_elected, 0ms, [] {});
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
    faults_[undo.window].until = now();
  }
}

}  // namespace notify::sim
