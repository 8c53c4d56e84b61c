#include "storage/redis/reply.hpp"

#include <algorithm>
#include <array>

namespace notify::redis {

namespace {

using base::Errc;

struct Meaning {
  std::string_view prefix;
  Errc code;
};

constexpr std::array<Meaning, 17> kMeanings{{
    {"NOSCRIPT", Errc::not_found},
    {"OOM", Errc::overloaded},
    {"LOADING", Errc::unavailable},
    {"READONLY", Errc::unavailable},
    {"CLUSTERDOWN", Errc::unavailable},
    {"BUSY", Errc::unavailable},
    {"TRYAGAIN", Errc::unavailable},
    {"MASTERDOWN", Errc::unavailable},
    {"NOREPLICAS", Errc::unavailable},
    {"MISCONF", Errc::unavailable},
    {"MOVED", Errc::unavailable},
    {"ASK", Errc::unavailable},
    {"UNKILLABLE", Errc::unavailable},
    {"WRONGTYPE", Errc::corrupt},
    {"NOAUTH", Errc::unauthenticated},
    {"WRONGPASS", Errc::unauthenticated},
    {"NOPERM", Errc::permission_denied},
}};

base::Unexpected<base::Error> not_a(std::string_view wanted, Reply::Type got) {
  return base::fail(Errc::corrupt, "Redis answered with " + std::string(name(got)) + " where " +
                                       std::string(wanted) + " was expected");
}

}  // namespace

std::string_view name(Reply::Type type) {
  switch (type) {
    case Reply::Type::nil: return "nil";
    case Reply::Type::integer: return "an integer";
    case Reply::Type::status: return "a status";
    case Reply::Type::string: return "a string";
    case Reply::Type::array: return "an array";
    case Reply::Type::error: return "an error";
  }
  return "something unknown";
}

Reply Reply::integer(std::int64_t value) {
  Reply reply(Type::integer, {});
  reply.integer_ = value;
  return reply;
}

Reply Reply::array(std::vector<Reply> elements) {
  Reply reply(Type::array, {});
  reply.elements_ = std::move(elements);
  return reply;
}

base::Expected<std::int64_t> Reply::as_integer() const {
  if (type_ != Type::integer) return not_a("an integer", type_);
  return integer_;
}

base::Expected<std::string_view> Reply::as_text() const {
  if (type_ != Type::string && type_ != Type::status) return not_a("a string", type_);
  return std::string_view(text_);
}

std::string_view Reply::error_prefix() const {
  return std::string_view(text_).substr(0, text_.find(' '));
}

base::Error Reply::to_error() const {
  constexpr std::size_t kDetailMax = 160;
  const auto known = std::ranges::find(kMeanings, error_prefix(), &Meaning::prefix);
  const Errc code = known != kMeanings.end() ? known->code : Errc::internal;
  // Redis quotes arguments ("unknown command 'x', with args beginning with: ..."): cut there.
  std::string detail = "Redis: " + text_.substr(0, text_.find_first_of("'`\""));
  detail.resize(std::min(detail.size(), kDetailMax));
  return base::Error{code, std::move(detail)};
}

}  // namespace notify::redis
