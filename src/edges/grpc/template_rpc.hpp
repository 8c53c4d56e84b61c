#pragma once
// notification.TemplateService: decode, call a flow or a store, encode.

#include "edges/grpc/unary.hpp"
#include "flows/template_admin.hpp"
#include "notification/template.grpc.pb.h"
#include "stores/templates.hpp"

namespace notify::edges {

/// Raw: requests arrive as bytes and are decoded by us (see decode.hpp).
using RawTemplateService = notification::TemplateService::WithRawMethod_CreateTemplate<
    notification::TemplateService::WithRawMethod_GetTemplate<
        notification::TemplateService::WithRawMethod_ListTemplates<
            notification::TemplateService::WithRawMethod_UpdateTemplate<
                notification::TemplateService::WithRawMethod_DeactivateTemplate<
                    notification::TemplateService::WithRawMethod_PreviewTemplate<
                        notification::TemplateService::Service>>>>>>;

/// The methods of one worker.
/// Threading: the worker's executor.
/// Lifetime:  all it is given outlives it, and it outlives the queue's shutdown.
class TemplateRpc {
 public:
  TemplateRpc(RpcHost& host, RawTemplateService& service, flows::TemplateAdmin& admin,
              stores::Templates& templates);
  void start();

 private:
  template <class Response>
  using Handled = async::Task<flows::Answer<Response>>;

  Handled<notification::CreateTemplateResponse> create(
      const notification::CreateTemplateRequest& request, RpcCall call);
  Handled<notification::GetTemplateResponse> get(const notification::GetTemplateRequest& request,
                                                 RpcCall call);
  Handled<notification::ListTemplatesResponse> list(
      const notification::ListTemplatesRequest& request, RpcCall call);
  Handled<notification::UpdateTemplateResponse> update(
      const notification::UpdateTemplateRequest& request, RpcCall call);
  Handled<notification::DeactivateTemplateResponse> deactivate(
      const notification::DeactivateTemplateRequest& request, RpcCall call);
  Handled<notification::PreviewTemplateResponse> preview(
      const notification::PreviewTemplateRequest& request, RpcCall call);

  flows::TemplateAdmin& admin_;
  stores::Templates& templates_;
  UnaryMethod<notification::CreateTemplateRequest, notification::CreateTemplateResponse> create_;
  UnaryMethod<notification::GetTemplateRequest, notification::GetTemplateResponse> get_;
  UnaryMethod<notification::ListTemplatesRequest, notification::ListTemplatesResponse> list_;
  UnaryMethod<notification::UpdateTemplateRequest, notification::UpdateTemplateResponse> update_;
  UnaryMethod<notification::DeactivateTemplateRequest, notification::DeactivateTemplateResponse>
      deactivate_;
  UnaryMethod<notification::PreviewTemplateRequest, notification::PreviewTemplateResponse> preview_;
};

}  // namespace notify::edges
