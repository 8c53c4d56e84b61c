#include "flows/template_admin.hpp"

#include <utility>

#include "base/json_object.hpp"

namespace notify::flows {
namespace {

using base::Errc;
using base::Unexpected;
using rules::TemplateData;
using stores::TemplateRow;

/// How often a change without a revision is tried when others change the same template meanwhile.
constexpr int kWriteTriesMax = 5;

Unexpected<Refusal> refuse_template(base::Error error) {
  Refusal refusal = refuse(std::move(error)).error();
  refusal.subject = Subject::message_template;
  return Unexpected<Refusal>(std::move(refusal));
}

rules::Violations under_template(rules::Violations violations) {
  for (rules::Violation& violation : violations) {
    violation.field = violation.field == "*" ? "template" : "template." + violation.field;
  }
  return violations;
}

void apply(const TemplateChange& change, TemplateData& data) {
  const auto take = [](const std::optional<std::string>& from, std::string& to) {
    if (from) to = *from;
  };
  take(change.title, data.text.title);
  take(change.body, data.text.body);
  take(change.sound, data.text.sound);
  take(change.category, data.text.category);
  if (!change.locales) return;
  std::map<std::string, rules::TemplateText> locales = *change.locales;
  for (auto& [tag, text] : locales) {
    const auto old = data.locales.find(tag);
    if (old != data.locales.end()) text.other = std::move(old->second.other);
  }
  data.locales = std::move(locales);
}

/// The row with the change, or all that is wrong with it.
base::Expected<TemplateRow, rules::Violations> changed(TemplateRow row, TemplateData data,
                                                       const TemplateChange& change) {
  apply(change, data);
  if (change.type) row.type = *change.type;
  if (change.active) row.active = *change.active;
  rules::Violations violations;
  if (!rules::is_template_name(row.name)) {
    violations.push_back({"name", rules::kTemplateNameForm});
  }
  if (!rules::is_type(row.type)) violations.push_back({"type", rules::kTypeForm});
  row.data = rules::encode_template(data);
  auto compiled = rules::Template::compile(std::move(data));
  if (!compiled) {
    for (auto& violation : compiled.error()) violations.push_back(std::move(violation));
  }
  if (!violations.empty())
    return Unexpected<rules::Violations>(under_template(std::move(violations)));
  return row;
}

/// The names of the fields that a change sets.
std::string fields_of(const TemplateChange& change) {
  std::string names;
  const auto add = [&names](bool is_set, const char* name) {
    if (is_set) names.append(names.empty() ? "" : ",").append(name);
  };
  add(change.type.has_value(), "type");
  add(change.title.has_value(), "title");
  add(change.body.has_value(), "body");
  add(change.sound.has_value(), "sound");
  add(change.category.has_value(), "category");
  add(change.locales.has_value(), "locales");
  add(change.active.has_value(), "active");
  return names;
}

/// Switching a template off is told apart from other changes: who searches the audit asks for it.
std::string action_of(const TemplateChange& change) {
  if (change.active && fields_of(change) == "active") {
    return *change.active ? "template.activated" : "template.deactivated";
  }
  return "template.updated";
}

Answer<TemplatePreview> render(const rules::Template& text, const rules::TemplateUse& use,
                               std::int32_t revision) {
  auto rendered = text.render(use.locale, use.variables);
  if (!rendered) return refuse(rules::missing_variables(rendered.error(), ""));
  return TemplatePreview{std::move(*rendered), revision};
}

}  // namespace

async::Task<Answer<TemplateRow>> TemplateAdmin::create(TemplateChange change, TemplateActor actor,
                                                       base::Deadline deadline) {
  TemplateRow fresh;
  fresh.name = change.name;
  auto row = changed(std::move(fresh), {}, change);
  if (!row) co_return refuse(std::move(row).error());
  auto made = co_await parts_.templates.create(std::move(*row),
                                               entry("template.created", change, actor), deadline);
  if (!made) co_return refuse_template(std::move(made).error());
  parts_.changed();
  co_return std::move(*made);
}

async::Task<Answer<TemplateRow>> TemplateAdmin::update(TemplateChange change, TemplateActor actor,
                                                       base::Deadline deadline) {
  for (int tries = 1;; ++tries) {
    auto done = co_await update_once(change, actor, deadline);
    const bool overtaken = !done && done.error().error.code == Errc::conflict;
    if (!overtaken || change.revision != 0 || tries == kWriteTriesMax) co_return done;
  }
}

/// Lifetime: both are in the caller's frame.
async::Task<Answer<TemplateRow>> TemplateAdmin::update_once(const TemplateChange& change,
                                                            const TemplateActor& actor,
                                                            base::Deadline deadline) {
  auto old = co_await parts_.templates.find(change.name, deadline);
  if (!old) co_return refuse_template(std::move(old).error());
  if (change.revision != 0 && change.revision != old->revision) {
    co_return refuse_template({Errc::conflict, "the template has another revision"});
  }
  auto data = rules::decode_template(old->data);
  if (!data) {
    co_return refuse_template({Errc::corrupt, "the template " + change.name + " is malformed"});
  }
  const std::string before = rules::encode_template(*data);
  auto row = changed(*old, std::move(*data), change);
  // One that was stored with mistakes can be switched off all the same.
  if (!row && action_of(change) != "template.deactivated") {
    co_return refuse(std::move(row).error());
  }
  const bool texts_differ = row && (row->data != before || row->type != old->type);
  TemplateRow wanted = row ? std::move(*row) : *old;
  wanted.active = change.active.value_or(old->active);
  if (!texts_differ && wanted.active == old->active) {
    co_return std::move(*old);
  }
  auto done = co_await parts_.templates.update(std::move(wanted),
                                               entry(action_of(change), change, actor), deadline);
  if (!done) co_return refuse_template(std::move(done).error());
  parts_.changed();
  co_return std::move(*done);
}

async::Task<Answer<TemplateRow>> TemplateAdmin::get(std::string name, base::Deadline deadline) {
  auto row = co_await parts_.templates.find(std::move(name), deadline);
  if (!row) co_return refuse_template(std::move(row).error());
  co_return std::move(*row);
}

async::Task<Answer<TemplatePreview>> TemplateAdmin::preview(rules::TemplateUse use,
                                                            base::Deadline deadline) {
  auto wrong = rules::check_template_use(use, "");
  if (!wrong.empty()) co_return refuse(std::move(wrong));
  const auto row = co_await parts_.templates.find(std::string(use.name), deadline);
  if (!row) co_return refuse_template(row.error());
  auto data = rules::decode_template(row->data);
  if (!data) co_return refuse(under_template(std::move(data).error()));
  auto text = rules::Template::compile(std::move(*data));
  if (!text) co_return refuse(under_template(std::move(text).error()));
  co_return render(*text, use, row->revision);
}

Answer<TemplatePreview> TemplateAdmin::preview(const TemplateChange& change,
                                               const rules::TemplateUse& use) {
  rules::TemplateUse named = use;
  named.name = "preview";  // it has none yet, and needs none
  rules::Violations wrong = rules::check_template_use(named, "");
  TemplateData data;
  apply(change, data);
  const auto text = rules::Template::compile(std::move(data));
  if (!text) {
    for (auto& violation : under_template(text.error())) {
      wrong.push_back(std::move(violation));
    }
  }
  if (!wrong.empty()) return refuse(std::move(wrong));
  return render(*text, use, 0);
}

stores::AuditEntry TemplateAdmin::entry(std::string action, const TemplateChange& change,
                                        const TemplateActor& actor) {
  base::JsonObject detail;
  detail.text("fields", fields_of(change)).text("origin", actor.origin);
  return {.id = parts_.ids.next(),
          .actor = actor.name,
          .action = std::move(action),
          .subject_type = "template",
          .subject_id = change.name,
          .detail = std::move(detail).finish()};
}

}  // namespace notify::flows
