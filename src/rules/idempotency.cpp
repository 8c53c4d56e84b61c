#include "rules/idempotency.hpp"

namespace notify::rules {
namespace {

/// Every part with its length before it, so that no two sequences of parts give one text.
class Canonical {
 public:
  Canonical& text(std::string_view part) {
    out_ += std::to_string(part.size());
    out_ += ':';
    out_ += part;
    return *this;
  }
  Canonical& number(std::int64_t value) { return text(std::to_string(value)); }
  template <class T>
  Canonical& number_if_set(const std::optional<T>& value) {
    return value ? number(*value) : text("-");
  }
  Canonical& pairs(const std::vector<std::pair<std::string_view, std::string_view>>& pairs) {
    number(static_cast<std::int64_t>(pairs.size()));
    for (const auto& [key, value] : pairs) text(key).text(value);
    return *this;
  }
  [[nodiscard]] std::string take() && { return std::move(out_); }

 private:
  std::string out_;
};

}  // namespace

std::string canonical_request(const SendRequest& r) {
  std::optional<std::int64_t> expires_at;
  if (r.expires_at) expires_at = r.expires_at->count();
  Canonical canonical;
  canonical.text(r.user_id).text(r.conversation_id).text(r.message_id).text(r.type);
  canonical.text(r.title).text(r.body).pairs(r.data).number(r.priority);
  canonical.number_if_set(expires_at).text(r.collapse_id).number_if_set(r.badge);
  canonical.text(r.sound).text(r.category).number(r.mutable_content).number(r.background);
  canonical.pairs(r.labels);
  // Fields that came later are there only if they are set: the program before this one knows the
  // request by the same text.
  if (r.mention) canonical.text("mention");
  // The use of a template, not the text it makes: a change of the template is none of the request.
  // Nothing if there is none, so that such requests have the digests that they always had.
  if (r.template_use) {
    canonical.text("template").text(r.template_use->name).text(r.template_use->locale);
    canonical.pairs(r.template_use->variables);
  }
  if (r.deliver_at) canonical.text("deliver_at").number(r.deliver_at->count());
  return std::move(canonical).take();
}

}  // namespace notify::rules
