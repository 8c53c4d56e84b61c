#include "rules/conformance.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/json_object.hpp"

namespace notify::rules {
namespace {

/// The Retry-After of every answer that asks to come later.
constexpr std::chrono::seconds kAsked{7};

/// A status that only a row without a reason is about, where a row has a range of them.
int played_status(const Meaning& row) {
  if (row.status_max == 0) return row.status;
  constexpr std::array kSpecimens = {418, 599, 307};
  const auto fits = [&](int status) { return row.has_status(status); };
  const auto found = std::find_if(kSpecimens.begin(), kSpecimens.end(), fits);
  return found == kSpecimens.end() ? row.status : *found;
}

std::string braceless(base::JsonObject object) {
  const std::string json = std::move(object).finish();
  return json.substr(1, json.size() - 2);
}

std::string_view played_reason(const Meaning& row) {
  constexpr std::string_view kNumbered = "errno ";
  std::string_view reason = row.reason;
  if (row.form == AnswerForm::errno_code) reason.remove_prefix(kNumbered.size());
  return reason;
}

struct Played {
  bool always = false;  ///< the server gives the answer to each try
  std::optional<base::WallTime> time;
};

std::string answer_script(const Meaning& row, const Played& played) {
  base::JsonObject script;
  script.number("status", played_status(row)).text("form", name(row.form));
  script.text_if_set("reason", played_reason(row));
  if (kind_of(final_consequence(row)) == OutcomeKind::retry_later) {
    script.number("retry_after", kAsked.count());
  }
  if (played.time) script.number("timestamp", played.time->time_since_epoch().count());
  if (played.always) script.number("count", -1);
  return braceless(std::move(script));
}

std::string answer_event(const Meaning& row) {
  std::string event = std::to_string(played_status(row));
  if (row.form != AnswerForm::status) event.append(" ").append(row.reason);
  if (row.form == AnswerForm::names_token) event += ", names the token";
  if (row.form == AnswerForm::rpc_status) event += ", no FcmError";
  return event;
}

ConformanceCase answer_case(const PushService& service, const Meaning& row, const Played& played) {
  ConformanceCase one;
  one.service = service.name;
  one.row = &row;
  one.event = answer_event(row);
  one.script = answer_script(row, played);
  one.leads_to = final_consequence(row);
  one.kind = kind_of(one.leads_to);
  if (one.kind == OutcomeKind::retry_later) one.retry_after = kAsked;
  if (one.kind == OutcomeKind::token_gone) one.invalid_since = played.time;
  return one;
}

/// APNs alone says since when a token is dead: in the body of a 410.
bool has_time(const PushService& service, const Meaning& row) {
  return service.name == "apns" && row.status == 410 && row.form == AnswerForm::reason;
}

ConformanceCase doubtful(ConformanceCase one, Doubt doubt, std::string_view why) {
  one.doubt = doubt;
  one.event.append(", ").append(why);
  one.leads_to = Consequence::caller_fault;
  one.kind = OutcomeKind::rejected;
  one.invalid_since.reset();
  return one;
}

void add_row(std::vector<ConformanceCase>& cases, const PushService& service, const Meaning& row,
             base::WallTime now) {
  Played played;
  if (has_time(service, row)) played.time = now - std::chrono::hours(1);
  if (tries_again(row.leads_to)) {
    ConformanceCase once = answer_case(service, row, played);
    once.event += ", once";
    once.leads_to = row.leads_to;
    once.kind = OutcomeKind::accepted;
    once.requests = 2;
    once.retry_after.reset();
    cases.push_back(std::move(once));
    played.always = true;
  }
  ConformanceCase one = answer_case(service, row, played);
  if (played.always) {
    one.event += ", again and again";
    one.requests = 2;
  }
  if (row.proviso == Proviso::environment_known) {
    cases.push_back(doubtful(one, Doubt::no_environment, "the environment is not known"));
  }
  if (row.proviso == Proviso::app_known) {
    cases.push_back(doubtful(one, Doubt::no_app, "the app is not known"));
  }
  if (played.time) {
    cases.push_back(doubtful(one, Doubt::registered_since, "of before it was registered"));
  }
  cases.push_back(std::move(one));
}

struct Fault {
  std::string_view event;
  std::string_view script;
  Consequence leads_to;
  OutcomeKind kind;
  std::size_t requests = 1;
  Stage stage = Stage::target;
  bool is_short = false;
  std::size_t at_once = 0;
};

using enum Consequence;
using Kind = OutcomeKind;

/// An answer that may have been lost is `unknown`: sending again could repeat the notification.
constexpr std::array kFaults = {
    Fault{"an answer that takes its time", R"("delay_ms":50)", delivered, Kind::accepted},
    Fault{"GOAWAY, the request was not processed", R"("goaway":true)", delivered, Kind::accepted,
          2},
    Fault{"GOAWAY, every request was processed", R"("goaway":"after")", delivered, Kind::accepted},
    Fault{"REFUSED_STREAM", R"("refuse_stream":true)", delivered, Kind::accepted, 2},
    Fault{"REFUSED_STREAM, again and again", R"("refuse_stream":true,"count":-1)", retry_provider,
          Kind::not_processed, 4},
    Fault{.event = "the limit of streams lowered to 1",
          .script = R"("max_streams":1)",
          .leads_to = delivered,
          .kind = Kind::accepted,
          .at_once = 8},
    Fault{"half-close before the answer", R"("cut":"half")", unknown, Kind::unknown},
    Fault{"the connection cut, not taken", R"("cut":"before")", unknown, Kind::unknown},
    Fault{"the connection cut, but taken", R"("cut":"after")", unknown, Kind::unknown},
    Fault{.event = "no answer",
          .script = R"("hang":true)",
          .leads_to = unknown,
          .kind = Kind::unknown,
          .is_short = true},
    Fault{.event = "an answer after our deadline",
          .script = R"("delay_ms":600)",
          .leads_to = unknown,
          .kind = Kind::unknown,
          .is_short = true},
    Fault{"a certificate that has expired", "", retry_provider, Kind::not_processed, 0,
          Stage::expired_certificate},
    Fault{"a port on which nothing listens", "", retry_provider, Kind::not_processed, 0,
          Stage::closed_port},
    Fault{"a host name that does not exist", "", retry_provider, Kind::not_processed, 0,
          Stage::unknown_host},
};

}  // namespace

std::vector<ConformanceCase> answer_cases(const PushService& service, base::WallTime now) {
  std::vector<ConformanceCase> cases;
  for (const Meaning& row : service.answers) add_row(cases, service, row, now);
  return cases;
}

std::vector<ConformanceCase> transport_cases(const PushService& service) {
  std::vector<ConformanceCase> cases;
  for (const Fault& fault : kFaults) {
    ConformanceCase one;
    one.service = service.name;
    one.event = fault.event;
    one.stage = fault.stage;
    one.script = fault.script;
    one.is_short = fault.is_short;
    one.at_once = fault.at_once;
    one.leads_to = fault.leads_to;
    one.kind = fault.kind;
    one.requests = fault.requests;
    cases.push_back(std::move(one));
  }
  return cases;
}

}  // namespace notify::rules
