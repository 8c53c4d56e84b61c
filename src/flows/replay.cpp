#include "flows/replay.hpp"

#include <algorithm>
#include <utility>

#include "base/json_object.hpp"

namespace notify::flows {
namespace {

using base::Errc;
using base::Expected;
using base::fail;
using stores::DeadLetter;
using stores::DeadLetterPage;
using stores::ReplayCounts;

/// What DeadLetters::replay() would make of them.
ReplayCounts judge(const ReplayRequest& request, const std::vector<DeadLetter>& letters,
                   base::WallTime due_at) {
  ReplayCounts counts;
  for (const DeadLetter& letter : letters) {
    if (!request.extend && due_at >= letter.expires_at) {
      ++counts.expired;
    } else if (letter.waits) {
      ++counts.waiting;
    } else {
      ++counts.replayed;
    }
  }
  return counts;
}

void add(ReplayCounts& sum, const ReplayCounts& counts) {
  sum.replayed += counts.replayed;
  sum.expired += counts.expired;
  sum.waiting += counts.waiting;
  sum.changed += counts.changed;
}

/// Time for so many at the rate.
std::chrono::microseconds time_for(std::int64_t count, std::int64_t rate) {
  return std::chrono::microseconds(count * 1'000'000 / rate);
}

bool may_pass(Errc code) {
  return code == Errc::unavailable || code == Errc::timed_out || code == Errc::overloaded;
}

base::JsonObject filter_object(const stores::DeadLetterFilter& filter) {
  base::JsonObject object;
  object.text("from", base::to_rfc3339(filter.from)).text("to", base::to_rfc3339(filter.until));
  if (filter.provider) object.text("provider", *filter.provider);
  if (filter.error_code) object.text("error_code", *filter.error_code);
  if (filter.type) object.text("type", *filter.type);
  if (filter.user) object.text("user_id", filter.user->to_string());
  if (filter.notification) object.text("notification_id", filter.notification->to_string());
  return object;
}

}  // namespace

std::string_view name(ReplayState state) {
  switch (state) {
    case ReplayState::running: return "running";
    case ReplayState::done: return "done";
    case ReplayState::stopped: return "stopped";
    case ReplayState::failed: return "failed";
  }
  return "?";
}

std::string audit_detail(const ReplayRequest& request, const ReplayProgress& progress) {
  base::JsonObject detail;
  if (progress.state == ReplayState::running) {
    detail.object("filter", filter_object(request.filter)).number("rate", request.rate);
    if (request.extend) detail.number("extend_s", request.extend->count());
    detail.text("reason", request.reason).text("origin", request.origin);
    return std::move(detail).finish();
  }
  detail.text("state", name(progress.state)).number("looked_at", progress.looked_at);
  detail.number("matched", progress.matched).number("replayed", progress.counts.replayed);
  detail.number("expired", progress.counts.expired).number("waiting", progress.counts.waiting);
  detail.number("changed", progress.counts.changed);
  detail.text("reached", base::to_rfc3339(progress.reached));
  return std::move(detail).finish();
}

async::Task<Answer<ReplayProgress>> Replay::run(ReplayRequest request, Tell tell) {
  ReplayProgress progress;
  progress.job = base::ReplayJobId(parts_.ids.next());
  progress.reached = request.filter.from;
  // What fails while the job runs is of another cause, perhaps of this job itself.
  request.filter.until = std::min(request.filter.until, now());
  if (!request.dry_run) {
    // Without a line in the audit nothing is done.
    const auto noted = co_await note(request, progress);
    if (!noted) co_return refuse(noted.error());
  }
  const auto worked = co_await work(request, tell, progress);
  if (!worked) progress.state = ReplayState::failed;
  parts_.events.ended(request, progress);
  if (!request.dry_run) {
    const auto noted = co_await note(request, progress);
    if (worked && !noted) co_return refuse(noted.error());
  }
  if (!worked) co_return refuse(worked.error());
  co_return progress;
}

async::Task<Expected<void>> Replay::work(const ReplayRequest& request, const Tell& tell,
                                         ReplayProgress& progress) {
  const ReplayLimits& limits = parts_.limits;
  stores::DeadLetterStretch stretch;
  stretch.looked_at_max = limits.looked_at_max;
  // A second's worth at most, so that somebody hears of it every second.
  const std::int64_t share = request.dry_run ? limits.batch_max : request.rate;
  stretch.limit = static_cast<std::int32_t>(std::min<std::int64_t>(limits.batch_max, share));
  base::SteadyTime told = base::SteadyTime::min();
  for (;;) {
    const base::SteadyTime at = parts_.timers.clock().steady_now();
    bool is_wanted = !stopping_;
    if (is_wanted && (told == base::SteadyTime::min() || at - told >= limits.report_interval)) {
      told = at;
      is_wanted = co_await tell(progress);
    }
    if (!is_wanted) {
      progress.state = ReplayState::stopped;
      co_return Expected<void>();
    }
    auto page = co_await find(request, stretch);
    if (!page) co_return fail(std::move(page).error());
    ReplayCounts counts;
    if (request.dry_run) {
      counts = judge(request, page->letters, now() + limits.lead);
    } else if (!page->letters.empty()) {
      const auto replayed = co_await replay(request, page->letters, progress.job);
      if (!replayed) co_return fail(replayed.error());
      counts = *replayed;
    }
    progress.looked_at += page->looked_at;
    progress.matched += static_cast<std::int64_t>(page->letters.size());
    progress.reached = page->next ? page->next->uuid().instant() : request.filter.until;
    add(progress.counts, counts);
    if (!page->next) break;
    stretch.after = page->next;
    if (!request.dry_run && counts.replayed > 0) {
      co_await parts_.timers.sleep_for(time_for(counts.replayed, request.rate));
    }
  }
  progress.state = ReplayState::done;
  co_return Expected<void>();
}

async::Task<Expected<DeadLetterPage>> Replay::find(const ReplayRequest& request,
                                                   stores::DeadLetterStretch stretch) {
  return persist<DeadLetterPage>("find", [this, &request, stretch] {
    return parts_.letters.find(request.filter, stretch, soon());
  });
}

/// They become due one after the other, at the rate.
async::Task<Expected<ReplayCounts>> Replay::replay(const ReplayRequest& request,
                                                   const std::vector<DeadLetter>& letters,
                                                   base::ReplayJobId job) {
  stores::ReplayBatch batch;
  batch.replayed_at = now();
  batch.job = job;
  if (request.extend) batch.live_until = batch.replayed_at + *request.extend;
  for (const DeadLetter& letter : letters) {
    const auto nth = static_cast<std::int64_t>(batch.items.size());
    const auto wait = std::chrono::floor<std::chrono::milliseconds>(time_for(nth, request.rate));
    batch.items.push_back({letter.id, batch.replayed_at + parts_.limits.lead + wait});
  }
  return persist<ReplayCounts>(
      "replay", [this, batch = std::move(batch)] { return parts_.letters.replay(batch, soon()); });
}

async::Task<Expected<void>> Replay::note(const ReplayRequest& request,
                                         const ReplayProgress& progress) {
  const bool begins = progress.state == ReplayState::running;
  const stores::AuditEntry entry{.id = parts_.ids.next(),
                                 .actor = request.actor,
                                 .action = begins ? "replay.started" : "replay.ended",
                                 .subject_type = "replay",
                                 .subject_id = progress.job.to_string(),
                                 .detail = audit_detail(request, progress)};
  return persist<void>("audit", [this, entry] { return parts_.audit.append(entry, soon()); });
}

/// Every step may be repeated: a job of an hour should not break off for a database that restarts.
template <class T>
async::Task<Expected<T>> Replay::persist(std::string_view step,
                                         std::function<async::Task<Expected<T>>()> attempt) {
  for (int tries = 1;; ++tries) {
    auto done = co_await attempt();
    if (done) co_return done;
    parts_.events.step_failed(step, done.error());
    const bool is_last = stopping_ || tries >= parts_.limits.tries_max;
    if (is_last || !may_pass(done.error().code)) co_return done;
    co_await parts_.timers.sleep_for(parts_.limits.retry_delay);
  }
}

}  // namespace notify::flows
