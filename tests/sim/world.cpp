#include "sim/world.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "fakes/samples.hpp"
#include "rules/settings_codec.hpp"

namespace notify::sim {
namespace {

constexpr milliseconds kTick{10};
constexpr std::size_t kUsers = 60;
constexpr std::size_t kFlood = 150;  ///< notifications for one user
constexpr std::size_t kFloodsMax = 20;
constexpr milliseconds kCallerPatience{4000};

/// Of users that have bursts grouped everything is of one conversation.
bool groups_bursts(std::size_t user) { return user % 4 == 1; }
const std::string kConversation = "c0000000-0000-4000-8000-000000000001";

std::string message_text(std::size_t n) {
  return base::uuid_v7_from(base::WallTime(),
                            {0, 0, 0, 0, 0, 0, 0, 2, static_cast<std::uint8_t>(n / 256),
                             static_cast<std::uint8_t>(n % 256)})
      .to_string();
}

base::UserId user(std::size_t n) { return fakes::sample_user(static_cast<int>(n) + 1); }

rules::SendRequest to_send(const Request& request) {
  rules::SendRequest send;
  send.user_id = request.user_text;
  send.message_id = request.message_text;
  send.conversation_id = request.conversation_text;
  send.type = request.type;
  send.title = "Dora";
  send.body = "Are you coming?";
  send.priority = static_cast<std::int32_t>(request.priority) + 1;
  send.idempotency_key = request.key;
  if (request.ahead) send.deliver_at = (*request.asked_first + *request.ahead).time_since_epoch();
  return send;
}

}  // namespace

/// Some requests of one caller, handed to one node; the answers may never come.
struct World::Call {
  std::vector<std::size_t> requests;
  base::SteadyTime given_up_at;
  std::optional<flows::Accept::Answers> answers;

  static async::Task<void> make(std::shared_ptr<Call> call, flows::Accept& accept,
                                std::vector<rules::SendRequest> sends) {
    call->answers = co_await accept.accept(std::move(sends), {});
  }
};

/// One of the told is taken back, at one node; the answer may never come.
struct World::CancelCall {
  std::size_t request = 0;
  base::SteadyTime given_up_at;
  std::optional<base::Expected<flows::Cancelled>> answer;
  base::WallTime answered_at;

  static async::Task<void> make(std::shared_ptr<CancelCall> call, fakes::Node& node,
                                base::NotificationId id, const base::Clock& clock) {
    call->answer = co_await node.cancel.cancel(id, node.loop.timers.after(kCallerPatience));
    call->answered_at = clock.now();
  }
};

World::World(WorldOptions options) : options_(options), rng_(options.seed) {
  outside_.books.clock = &outside_.clock;
  outside_.apple.is_lease_of = [this](int node, base::NotificationId id) {
    const auto found = outside_.books.leased.find("node " + std::to_string(node));
    return found != outside_.books.leased.end() && found->second.contains(id);
  };
  outside_.apple.timeout = 3s;
  outside_.apple.delay = [this] { return draw(4) == 0 ? between(0ms, 60ms) : 0ms; };
  for (std::size_t i = 0; i < kUsers; ++i) {
    auto& devices = outside_.devices.of_user[user(i)];
    const auto count = static_cast<std::uint8_t>(1 + i % 2);
    for (std::uint8_t d = 0; d < count; ++d) {
      constexpr std::array kPlatforms = {rules::Platform::ios, rules::Platform::android,
                                         rules::Platform::web};
      rules::Device device = fakes::sample_device();
      device.platform = kPlatforms.at((i + d) % kPlatforms.size());
      device.id = base::DeviceId(base::uuid_v7_from(
          base::WallTime(), {0, 0, 0, 0, 0, 0, 0, 1, d, static_cast<std::uint8_t>(i)}));
      // A subscription of Web Push is JSON.
      const bool is_web = device.platform == rules::Platform::web;
      device.token = base::Secret((is_web ? "{" : "") + device.id.to_string());
      devices.push_back(std::move(device));
    }
    if (!groups_bursts(i)) continue;
    rules::UserColumns columns;
    columns.preferences = R"({"group_bursts":true})";
    outside_.settings.put(user(i), columns);
  }
  make_requests();
  slots_.resize(options_.nodes);
  for (std::size_t i = 0; i < slots_.size(); ++i) slots_[i].machine = i / options_.workers;
  for (Slot& slot : slots_) start_node(slot);
  next_fault_ = steady_now() + between(7s, 9s);
}

World::~World() {
  outside_.time.after_step = nullptr;
  outside_.apple.holds_answers = false;
  calls_.clear();
  cancels_.clear();
  for (Slot& slot : slots_) slot.node.reset();
  dead_.clear();
}

void World::make_requests() {
  struct Kind {
    const char* type;
    rules::Priority priority;
  };
  constexpr std::array<Kind, 4> kKinds = {{{"call", rules::Priority::high},
                                           {"message", rules::Priority::high},
                                           {"message", rules::Priority::medium},
                                           {"reaction", rules::Priority::low}}};
  // Calls under way refer to the texts of their requests: no request may move.
  requests_.reserve(options_.notifications + kFloodsMax * kFlood);
  requests_.resize(options_.notifications);
  for (std::size_t i = 0; i < requests_.size(); ++i) {
    Request& request = requests_[i];
    // Half of it all is for a few.
    const std::size_t whose = draw(2) == 0 ? draw(8) : draw(kUsers);
    request.user = user(whose);
    if (groups_bursts(whose)) request.conversation_text = kConversation;
    request.user_text = request.user.to_string();
    request.message_text = message_text(messages_made_++);
    if (draw(3) == 0) request.key = "key " + std::to_string(i);
    const Kind& kind = kKinds.at(draw(kKinds.size()));
    request.type = kind.type;
    request.priority = kind.priority;
    request.next_try = now() + between(6s, 6s + options_.load);
    if (draw(12) == 0) request.ahead = between(500ms, 25s);
    if (draw(8) == 0) request.cancelled_after = between(0ms, request.ahead.value_or(0ms) + 3s);
    if (i == 0 || draw(4) != 0) continue;
    // Somebody who types on: the same user gets it, at the heels of the one before.
    Request& before = requests_[i - 1];
    before.is_followed = true;
    request.user = before.user;
    request.user_text = before.user_text;
    request.conversation_text = before.conversation_text;
    request.type = before.type;
    request.priority = before.priority;
    request.next_try.reset();
  }
  // What some devices answer at first.
  for (std::size_t i = 0; i < kUsers; ++i) {
    for (const rules::Device& device : outside_.devices.of_user[user(i)]) {
      using enum rules::OutcomeKind;
      std::vector<rules::Outcome> outcomes;
      for (int n = 0; n < 20; ++n) {
        const std::size_t drawn = draw(20);
        const auto kind = drawn == 0 ? retry_later : drawn == 1 ? rejected : accepted;
        outcomes.push_back({.kind = kind, .code = "code", .message = "a message"});
      }
      outside_.apple.answer(device, std::move(outcomes));
    }
  }
}

fakes::NodeOptions World::node_options() {
  fakes::NodeOptions options;
  options.all_push_services = true;
  options.limits.in_flight_max = in_flight_max();
  options.limits.breaker.share = in_flight_max() / 2;
  options.limits.idle_poll = 100ms;
  options.limits.devices_retry = 2s;
  options.retry.delays = {2s, 3s, 5s};
  options.expiry = {.call = 20s, .message = 4h, .other = 24h};
  options.ledger.waiting_max = 2000;
  options.burst_window = 5s;
  options.clock_ahead = between(0ms, 2s) - 1s;
  // A day back is much to look at for notifications of a minute. Commits come that late, though.
  options.recover.look_back = options_.is_left_alone ? 27h : 15min;
  // The patrol finds in minutes what all else has missed; nine runs of ten do without it.
  options.recover.patrol_interval = options_.seed % 10 == 5 ? 2s : 24h;
  // Nor is an hour much to catch a maintainer at work who has been replaced.
  options.recover.upkeep_interval = 500ms;
  return options;
}

void World::start_node(Slot& slot) {
  slot.number = ++nodes_made_;
  slot.starts_at.reset();
  slot.node = std::make_unique<fakes::Node>(outside_, "node " + std::to_string(slot.number),
                                            node_options());
  slot.node->link.one_way = between(1ms, 8ms);
  slot.node->link.node = slot.number;
  slot.node->link.journal = &journal_;
  slot.node->start();
}

fakes::Node* World::any_node() {
  const std::size_t first = draw(slots_.size());
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    Slot& slot = slots_[(first + i) % slots_.size()];
    if (slot.node) return slot.node.get();
  }
  return nullptr;
}

bool World::run() {
  outside_.time.after_step = [this](fakes::FakeLoop& loop) {
    if (!dies_after_) return;
    for (Slot& slot : slots_) {
      if (!slot.node || &slot.node->loop != &loop || slot.number != dies_after_->first) continue;
      if (dies_after_->second-- == 0) {
        dies_after_.reset();
        for (Slot* one : machine_of(slot)) kill(*one);
      }
      return;
    }
  };
  const base::SteadyTime load_ends = steady_now() + 6s + options_.load;
  while (steady_now() < load_ends) {
    if (options_.has_faults && steady_now() >= next_fault_) begin_a_fault();
    tick();
  }
  end_faults(true);
  dies_after_.reset();
  if (options_.is_left_alone) leave_alone_for_a_day();
  const base::SteadyTime patience_ends = steady_now() + 20min;
  while (steady_now() < patience_ends && wrongs_.empty()) {
    tick();
    if (is_over()) return true;
  }
  return false;
}

void World::tick() {
  restart_the_dead();
  end_faults(false);
  call_somebody();
  cancel_some();
  outside_.time.run_for(kTick);
  read_answers();
  read_cancel_answers();
  if (steady_now().time_since_epoch() % 500ms < kTick) look();
}

void World::call_somebody() {
  std::vector<std::size_t> due;
  for (std::size_t i = 0; i < requests_.size(); ++i) {
    if (requests_[i].next_try && *requests_[i].next_try <= now()) due.push_back(i);
  }
  while (!due.empty()) {
    fakes::Node* node = any_node();
    if (node == nullptr) return;
    auto call = std::make_shared<Call>();
    call->given_up_at = steady_now() + kCallerPatience;
    std::vector<rules::SendRequest> sends;
    // One by one, or a batch.
    const std::size_t size = draw(4) == 0 ? 1 + draw(10) : 1;
    while (!due.empty() && sends.size() < size) {
      Request& request = requests_[due.back()];
      call->requests.push_back(due.back());
      due.pop_back();
      if (!request.asked_first) request.asked_first = now();
      request.next_try.reset();
      ++request.tries;
      sends.push_back(to_send(request));
    }
    node->background.spawn(Call::make(call, node->accept, std::move(sends)));
    calls_.push_back(std::move(call));
  }
}

/// Who was told OK is content, and sometimes asks again all the same: the OK may have been lost on
/// its way. Everybody else repeats the request, maybe at another node.
void World::read_answers() {
  for (std::size_t left = calls_.size(); left > 0; --left) {
    const std::shared_ptr<Call> call = std::move(calls_.front());
    calls_.pop_front();
    if (!call->answers && steady_now() < call->given_up_at) {
      calls_.push_back(call);
      continue;
    }
    for (std::size_t i = 0; i < call->requests.size(); ++i) {
      Request& request = requests_[call->requests[i]];
      if (call->answers && (*call->answers)[i]) {
        if (!request.told) {
          request.told = now();
          if (request.is_followed) requests_[call->requests[i] + 1].next_try = now();
          if (request.cancelled_after) request.next_cancel = now() + *request.cancelled_after;
        }
        request.told_ids.push_back((*call->answers)[i]->id);
        if (draw(20) == 0) request.next_try = now() + between(0ms, 3s);
      } else if (!request.told) {
        request.next_try = now() + between(100ms, 1s);
      }
    }
  }
}

void World::cancel_some() {
  for (std::size_t i = 0; i < requests_.size(); ++i) {
    Request& request = requests_[i];
    if (!request.next_cancel || *request.next_cancel > now()) continue;
    fakes::Node* node = any_node();
    if (node == nullptr) return;
    request.next_cancel.reset();
    auto call = std::make_shared<CancelCall>();
    call->request = i;
    call->given_up_at = steady_now() + kCallerPatience;
    node->background.spawn(CancelCall::make(call, *node, request.told_ids.front(), outside_.clock));
    cancels_.push_back(std::move(call));
  }
}

/// Who gets no answer asks again, and so, sometimes, does who has one.
void World::read_cancel_answers() {
  for (std::size_t left = cancels_.size(); left > 0; --left) {
    const std::shared_ptr<CancelCall> call = std::move(cancels_.front());
    cancels_.pop_front();
    if (!call->answer && steady_now() < call->given_up_at) {
      cancels_.push_back(call);
      continue;
    }
    Request& request = requests_[call->request];
    const bool is_told = call->answer && *call->answer;
    if (is_told && (*call->answer)->result == rules::CancelResult::cancelled &&
        !request.cancelled) {
      request.cancelled = call->answered_at;
    }
    if (!is_told || draw(4) == 0) request.next_cancel = now() + between(100ms, 3s);
  }
}

void World::restart_the_dead() {
  for (Slot& slot : slots_) {
    if (!slot.node && slot.starts_at && steady_now() >= *slot.starts_at) start_node(slot);
  }
}

std::vector<World::Slot*> World::machine_of(const Slot& slot) {
  std::vector<Slot*> workers;
  for (Slot& one : slots_) {
    if (one.machine == slot.machine) workers.push_back(&one);
  }
  return workers;
}

/// In a moment, and in its order.
void World::add_flood() {
  if (requests_.size() + kFlood > requests_.capacity()) return;
  const std::size_t whose = 20 + draw(20);
  if (groups_bursts(whose)) return;
  for (std::size_t i = 0; i < kFlood; ++i) {
    Request request;
    request.user = user(whose);
    request.user_text = request.user.to_string();
    request.message_text = message_text(messages_made_++);
    request.type = "message";
    request.priority = rules::Priority::medium;
    request.next_try = now() + between(0ms, 500ms);
    requests_.push_back(std::move(request));
  }
}

/// A queue that nobody renews is gone after a day; the ledger has all that was in it. Callers do
/// not ask again after a day: then it would be another request.
void World::leave_alone_for_a_day() {
  for (Slot& slot : slots_) kill(slot);
  calls_.clear();
  cancels_.clear();
  for (Request& request : requests_) {
    request.next_try.reset();
    request.next_cancel.reset();
    request.is_followed = false;
  }
  faults_.push_back({Fault::left_alone, now(), now() + 25h});
  outside_.time.run_for(25h);
  for (Slot& slot : slots_) slot.starts_at = steady_now();
}

void World::kill(Slot& slot) {
  if (!slot.node) return;
  if (!slot.node->frozen) slot.node->freeze();
  slot.starts_at = steady_now() + between(0ms, 12s);
  dead_.push_back(std::move(slot.node));
}

void World::wrong(std::string what) {
  if (wrongs_.size() < 20) wrongs_.push_back(std::move(what));
}

/// What must hold at every moment.
void World::look() {
  for (const Slot& slot : slots_) {
    if (slot.node && slot.node->deliver.in_flight() > in_flight_max()) {
      wrong("a node has more under way than its bound");
    }
  }
  for (const auto& [id, row] : outside_.table.rows) {
    if (is_forgotten(row)) wrong("forgotten: " + id.to_string());
  }
}

/// Unfinished, and neither in the queue nor in `due`, nor among what the next sweep will look at.
bool World::is_forgotten(const fakes::FakeLedgerTable::Row& row) const {
  const fakes::FakeQueueBooks& books = outside_.books;
  const base::NotificationId id = row.record.notification.id;
  if (row.record.status == rules::Status::deferred && !row.due) return true;
  if (row.record.status != rules::Status::pending || row.due) return false;
  if (!books.epoch.whole || books.epoch.run != books.run) return false;
  if (!books.swept || row.record.notification.created_at() >= *books.swept) return false;
  return !books.queued.contains(id) && !books.old.contains(id) && !books.is_leased(id);
}

bool World::is_over() const {
  const auto& books = outside_.books;
  if (!calls_.empty() || !cancels_.empty() || !books.queued.empty() || !books.old.empty() ||
      !outside_.table.open.empty()) {
    return false;
  }
  for (const auto& [node, leases] : books.leased) {
    if (!leases.empty()) return false;
  }
  return std::none_of(requests_.begin(), requests_.end(),
                      [](const Request& r) { return r.next_try || r.next_cancel; }) &&
         std::none_of(outside_.table.rows.begin(), outside_.table.rows.end(), [](const auto& row) {
           // Out of tries, and the last word was silence: `sent` is an end too.
           return row.second.due || row.second.record.status == rules::Status::pending;
         });
}

}  // namespace notify::sim
