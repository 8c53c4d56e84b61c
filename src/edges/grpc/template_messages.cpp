#include "edges/grpc/template_messages.hpp"

#include "base/graphemes.hpp"
#include "base/text.hpp"
#include "edges/grpc/caller.hpp"
#include "net/grpc/timestamp.hpp"

namespace notify::edges {
namespace {

namespace pb = notification;
using flows::TemplateChange;

rules::TemplateText to_text(const pb::TemplateText& from) {
  return {from.title(), from.body(), from.sound(), from.category(), {}};
}

std::map<std::string, rules::TemplateText> to_locales(const pb::Template& from) {
  std::map<std::string, rules::TemplateText> locales;
  for (const auto& [tag, text] : from.locales()) locales.emplace(tag, to_text(text));
  return locales;
}

/// One field by its name in a mask; false if there is none of that name.
bool take(const pb::Template& from, std::string_view field, TemplateChange& to) {
  if (field == "type") {
    to.type = from.type();
  } else if (field == "title") {
    to.title = from.title();
  } else if (field == "body") {
    to.body = from.body();
  } else if (field == "sound") {
    to.sound = from.sound();
  } else if (field == "category") {
    to.category = from.category();
  } else if (field == "locales") {
    to.locales = to_locales(from);
  } else if (field == "active") {
    to.active = from.active();
  } else {
    return false;
  }
  return true;
}

TemplateChange named(const pb::Template& from) {
  TemplateChange change;
  change.name = from.name();
  change.revision = from.revision();
  return change;
}

}  // namespace

TemplateChange to_change(const pb::Template& from) {
  TemplateChange change = named(from);
  const auto take_if = [&](bool is_set, std::string_view field) {
    if (is_set) take(from, field, change);
  };
  take_if(!from.type().empty(), "type");
  take_if(!from.title().empty(), "title");
  take_if(!from.body().empty(), "body");
  take_if(!from.sound().empty(), "sound");
  take_if(!from.category().empty(), "category");
  take_if(!from.locales().empty(), "locales");
  take_if(from.has_active(), "active");
  return change;
}

TemplateChange to_change(const pb::UpdateTemplateRequest& request, rules::Violations& violations) {
  const pb::Template& from = request.template_();
  if (from.revision() < 0) violations.push_back({"template.revision", "must not be negative"});
  if (request.update_mask().paths().empty()) return to_change(from);
  TemplateChange change = named(from);
  for (const std::string& path : request.update_mask().paths()) {
    if (take(from, path, change)) continue;
    violations.push_back({"update_mask",
                          "may name \"type\", \"title\", \"body\", \"sound\", \"category\", "
                          "\"locales\" and \"active\"; it names something else"});
    break;
  }
  return change;
}

flows::TemplateActor to_actor(const std::string& name, const flows::Caller& caller,
                              rules::Violations& violations) {
  const auto length = base::utf8_length(name);
  if (!length || *length > 100 || base::find_control_character(name)) {
    violations.push_back(
        {"actor", "must be text of at most 100 characters, without control characters"});
  }
  Actor actor = actor_of(caller, name);
  return {std::move(actor.name), std::move(actor.origin)};
}

base::Expected<void> encode(const stores::TemplateRow& row, pb::Template& to) {
  auto data = rules::decode_template(row.data);
  if (!data) {
    return base::fail(base::Errc::corrupt, "the template " + row.name + " is stored malformed");
  }
  to.set_name(row.name);
  to.set_type(row.type);
  to.set_title(data->text.title);
  to.set_body(data->text.body);
  to.set_sound(data->text.sound);
  to.set_category(data->text.category);
  for (const auto& [tag, text] : data->locales) {
    pb::TemplateText& one = (*to.mutable_locales())[tag];
    one.set_title(text.title);
    one.set_body(text.body);
    one.set_sound(text.sound);
    one.set_category(text.category);
  }
  to.set_active(row.active);
  to.set_revision(row.revision);
  net::set(to.mutable_created_at(), row.created_at);
  net::set(to.mutable_updated_at(), row.updated_at);
  // One that somebody stored with mistakes is shown all the same: how else would it be mended?
  const auto compiled = rules::Template::compile(std::move(*data));
  if (!compiled) return {};
  for (const std::string& name : compiled->required()) to.add_required_variables(name);
  for (const std::string& name : compiled->optional()) to.add_optional_variables(name);
  return {};
}

void encode(const flows::TemplatePreview& preview, pb::PreviewTemplateResponse& to) {
  const rules::RenderedText& text = preview.text;
  to.set_title(text.title);
  to.set_body(text.body);
  to.set_sound(text.sound);
  to.set_category(text.category);
  to.set_locale(text.locale);
  to.set_revision(preview.revision);
  for (const rules::Platform platform :
       {rules::Platform::ios, rules::Platform::android, rules::Platform::web}) {
    const rules::TextLengths lengths = rules::text_lengths(platform);
    pb::PlatformPreview& one = *to.add_platforms();
    one.set_platform(std::string(rules::name(platform)));
    one.set_title(base::cut_graphemes(text.title, {.graphemes = lengths.title}));
    one.set_body(base::cut_graphemes(text.body, {.graphemes = lengths.body}));
  }
}

std::string encode_name_token(const std::string& last) { return base::base64url_encode(last); }

std::optional<std::string> decode_name_token(std::string_view token) {
  auto name = base::base64url_decode(token);
  if (!name || !rules::is_template_name(*name)) return std::nullopt;
  return name;
}

}  // namespace notify::edges
