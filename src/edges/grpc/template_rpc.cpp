#include "edges/grpc/template_rpc.hpp"

#include "edges/grpc/template_messages.hpp"
#include "edges/grpc/wire.hpp"

namespace notify::edges {
namespace {

namespace pb = notification;
using flows::Answer;
using flows::refuse;

/// Calls that can wait to arrive: people make them, one after the other.
constexpr std::size_t kTemplateListening = 2;

void check_name(const std::string& name, const char* field, rules::Violations& violations) {
  if (!rules::is_template_name(name)) violations.push_back({field, rules::kTemplateNameForm});
}

/// The answer of every method that tells of one template.
template <class Response>
Answer<Response> to_response(const Answer<stores::TemplateRow>& row) {
  if (!row) return base::Unexpected(row.error());
  Response response;
  const auto encoded = encode(*row, *response.mutable_template_());
  if (!encoded) return refuse(encoded.error());
  return response;
}

}  // namespace

TemplateRpc::TemplateRpc(RpcHost& host, RawTemplateService& service, flows::TemplateAdmin& admin,
                         stores::Templates& templates)
    : admin_(admin),
      templates_(templates),
      create_(
          "CreateTemplate", host,
          [&service](auto* context, auto* bytes, auto* writer, auto* queue, void* tag) {
            service.RequestCreateTemplate(context, bytes, writer, queue, queue, tag);
          },
          [this](const auto& request, RpcCall call) { return create(request, std::move(call)); }),
      get_(
          "GetTemplate", host,
          [&service](auto* context, auto* bytes, auto* writer, auto* queue, void* tag) {
            service.RequestGetTemplate(context, bytes, writer, queue, queue, tag);
          },
          [this](const auto& request, RpcCall call) { return get(request, std::move(call)); }),
      list_(
          "ListTemplates", host,
          [&service](auto* context, auto* bytes, auto* writer, auto* queue, void* tag) {
            service.RequestListTemplates(context, bytes, writer, queue, queue, tag);
          },
          [this](const auto& request, RpcCall call) { return list(request, std::move(call)); }),
      update_(
          "UpdateTemplate", host,
          [&service](auto* context, auto* bytes, auto* writer, auto* queue, void* tag) {
            service.RequestUpdateTemplate(context, bytes, writer, queue, queue, tag);
          },
          [this](const auto& request, RpcCall call) { return update(request, std::move(call)); }),
      deactivate_(
          "DeactivateTemplate", host,
          [&service](auto* context, auto* bytes, auto* writer, auto* queue, void* tag) {
            service.RequestDeactivateTemplate(context, bytes, writer, queue, queue, tag);
          },
          [this](const auto& request, RpcCall call) {
            return deactivate(request, std::move(call));
          }),
      preview_(
          "PreviewTemplate", host,
          [&service](auto* context, auto* bytes, auto* writer, auto* queue, void* tag) {
            service.RequestPreviewTemplate(context, bytes, writer, queue, queue, tag);
          },
          [this](const auto& request, RpcCall call) { return preview(request, std::move(call)); }) {
}

void TemplateRpc::start() {
  create_.start(kTemplateListening);
  get_.start(kTemplateListening);
  list_.start(kTemplateListening);
  update_.start(kTemplateListening);
  deactivate_.start(kTemplateListening);
  preview_.start(kTemplateListening);
}

TemplateRpc::Handled<pb::CreateTemplateResponse> TemplateRpc::create(
    const pb::CreateTemplateRequest& request, RpcCall call) {
  rules::Violations violations;
  auto actor = to_actor(request.actor(), call.caller, violations);
  if (!violations.empty()) co_return refuse(std::move(violations));
  co_return to_response<pb::CreateTemplateResponse>(
      co_await admin_.create(to_change(request.template_()), std::move(actor), call.deadline));
}

TemplateRpc::Handled<pb::GetTemplateResponse> TemplateRpc::get(
    const pb::GetTemplateRequest& request, RpcCall call) {
  rules::Violations violations;
  check_name(request.name(), "name", violations);
  if (!violations.empty()) co_return refuse(std::move(violations));
  co_return to_response<pb::GetTemplateResponse>(
      co_await admin_.get(request.name(), call.deadline));
}

TemplateRpc::Handled<pb::ListTemplatesResponse> TemplateRpc::list(
    const pb::ListTemplatesRequest& request, RpcCall call) {
  rules::Violations violations;
  stores::TemplatePage page;
  page.type = request.type();
  page.with_inactive = request.include_inactive();
  if (request.page_size() < 0 || request.page_size() > kPageMax) {
    violations.push_back({"page_size", "must be from 1 to 100, or 0 for 20"});
  }
  if (!request.page_token().empty()) {
    const auto after = decode_name_token(request.page_token());
    if (!after) violations.push_back({"page_token", kPageTokenForm});
    page.after = after.value_or("");
  }
  if (!page.type.empty() && !rules::is_type(page.type)) {
    violations.push_back({"type", rules::kTypeForm});
  }
  if (!violations.empty()) co_return refuse(std::move(violations));

  const std::int32_t size = request.page_size() == 0 ? kPageDefault : request.page_size();
  page.limit = size + 1;
  auto rows = co_await templates_.list(std::move(page), call.deadline);
  if (!rows) co_return refuse(std::move(rows).error());
  pb::ListTemplatesResponse response;
  const bool more = rows->size() > static_cast<std::size_t>(size);
  if (more) rows->pop_back();
  for (const stores::TemplateRow& row : *rows) {
    const auto encoded = encode(row, *response.add_templates());
    if (!encoded) co_return refuse(encoded.error());
  }
  if (more) response.set_next_page_token(encode_name_token(rows->back().name));
  co_return response;
}

TemplateRpc::Handled<pb::UpdateTemplateResponse> TemplateRpc::update(
    const pb::UpdateTemplateRequest& request, RpcCall call) {
  rules::Violations violations;
  auto change = to_change(request, violations);
  check_name(change.name, "template.name", violations);
  auto actor = to_actor(request.actor(), call.caller, violations);
  if (!violations.empty()) co_return refuse(std::move(violations));
  co_return to_response<pb::UpdateTemplateResponse>(
      co_await admin_.update(std::move(change), std::move(actor), call.deadline));
}

TemplateRpc::Handled<pb::DeactivateTemplateResponse> TemplateRpc::deactivate(
    const pb::DeactivateTemplateRequest& request, RpcCall call) {
  rules::Violations violations;
  check_name(request.name(), "name", violations);
  if (request.revision() < 0) violations.push_back({"revision", "must not be negative"});
  auto actor = to_actor(request.actor(), call.caller, violations);
  if (!violations.empty()) co_return refuse(std::move(violations));
  flows::TemplateChange change;
  change.name = request.name();
  change.revision = request.revision();
  change.active = false;
  co_return to_response<pb::DeactivateTemplateResponse>(
      co_await admin_.update(std::move(change), std::move(actor), call.deadline));
}

TemplateRpc::Handled<pb::PreviewTemplateResponse> TemplateRpc::preview(
    const pb::PreviewTemplateRequest& request, RpcCall call) {
  const rules::TemplateUse use{request.name(), request.locale(), to_pairs(request.variables())};
  if (request.source_case() == pb::PreviewTemplateRequest::SOURCE_NOT_SET) {
    co_return refuse(rules::Violations{{"name", "is required, or `template`"}});
  }
  const auto preview = request.has_template_() ? admin_.preview(to_change(request.template_()), use)
                                               : co_await admin_.preview(use, call.deadline);
  if (!preview) co_return base::Unexpected(preview.error());
  pb::PreviewTemplateResponse response;
  encode(*preview, response);
  co_return response;
}

}  // namespace notify::edges
