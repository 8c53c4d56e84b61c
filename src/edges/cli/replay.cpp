#include "edges/cli/replay.hpp"

#include "base/text.hpp"
#include "edges/cli/call.hpp"
#include "edges/cli/times.hpp"
#include "notification/admin.grpc.pb.h"

namespace notify::edges {
namespace {

namespace pb = notification;
using base::Errc;
using base::Expected;
using base::fail;

std::string skipped_text(const pb::ReplayNotificationsResponse& p) {
  std::string text;
  if (p.expired() > 0) text += ", " + std::to_string(p.expired()) + " expired";
  if (p.waiting() > 0) text += ", " + std::to_string(p.waiting()) + " under way already";
  if (p.changed() > 0) text += ", " + std::to_string(p.changed()) + " not failed any more";
  return text;
}

std::string progress_text(const pb::ReplayNotificationsResponse& p, base::WallTime now) {
  return base::to_rfc3339(now) + "  looked at " + count_text(p.looked_at(), "notification") + ": " +
         count_text(p.matched(), "dead letter") + ", " + std::to_string(p.replayed()) +
         " replayed" + skipped_text(p);
}

void summarize(const pb::ReplayNotificationsResponse& p, const ReplayOptions& options, bool dry_run,
               const Say& say) {
  say((dry_run ? "dry run: " : "done: ") + count_text(p.matched(), "dead letter") + ": " +
      std::to_string(p.replayed()) + (dry_run ? " would be replayed" : " replayed") +
      skipped_text(p));
  if (p.expired() > 0 && options.extend.empty()) {
    say("expired: " + std::to_string(p.expired()) +
        ", skipped; use --extend to send them all the same");
  }
  if (dry_run) return;
  if (p.replayed() > 0) {
    say("they are sent within seconds; notification-service explain ID tells what became of one");
  }
  say("job " + p.job_id() + ": the audit has who, why and how many");
}

/// Runs one job to its end; returns the last that was heard of it.
Expected<pb::ReplayNotificationsResponse> run(pb::AdminService::Stub& stub,
                                              const pb::ReplayNotificationsRequest& request,
                                              const ReplayOptions& options, const Say& say) {
  const base::SystemClock clock;
  grpc::ClientContext context;
  set_deadline(context, clock, options.timeout);
  const auto reader = stub.ReplayNotifications(&context, request);
  pb::ReplayNotificationsResponse heard;
  bool begun = false;
  while (reader->Read(&heard)) {
    begun = true;
    if (heard.state() == pb::REPLAY_STATE_RUNNING && heard.looked_at() > 0) {
      say(progress_text(heard, clock.now()));
    }
  }
  const grpc::Status status = reader->Finish();
  if (status.ok()) return heard;
  std::string text = describe(status);
  if (begun && !request.dry_run()) {
    text += "\nit broke off after " + std::to_string(heard.replayed()) + " or a few more (job " +
            heard.job_id() + "); run it again: it does the rest and sends nothing twice";
  }
  return fail(Errc::unavailable, std::move(text));
}

}  // namespace

Expected<void> replay(const ReplayOptions& options, const Say& say,
                      const std::function<bool()>& confirm) {
  const base::SystemClock clock;
  pb::ReplayNotificationsRequest request;
  if (auto filled = fill(options.letters, clock.now(), *request.mutable_filter()); !filled) {
    return filled;
  }
  if (!options.extend.empty()) {
    const auto extend = parse_duration(options.extend);
    if (!extend) return fail(Errc::invalid, "--extend: " + extend.error().detail);
    request.mutable_extend()->set_seconds(extend->count());
  }
  request.set_rate(options.rate);
  request.set_actor(options.actor);
  request.set_reason(options.reason);
  const auto channel = channel_to(options.letters.service);
  if (!channel) return fail(channel.error());
  const auto stub = pb::AdminService::NewStub(*channel);
  if (options.dry_run || !options.yes) {
    request.set_dry_run(true);
    const auto counted = run(*stub, request, options, say);
    if (!counted) return fail(counted.error());
    summarize(*counted, options, true, say);
    if (options.dry_run || counted->replayed() == 0) return {};
    if (!confirm()) return fail(Errc::cancelled, "not confirmed: nothing was replayed");
  }
  request.set_dry_run(false);
  const auto done = run(*stub, request, options, say);
  if (!done) return fail(done.error());
  summarize(*done, options, false, say);
  return {};
}

}  // namespace notify::edges
