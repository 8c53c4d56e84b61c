#pragma once
// Between the messages of template.proto and our types.

#include "flows/accept.hpp"
#include "flows/template_admin.hpp"
#include "notification/template.pb.h"
#include "rules/lengths.hpp"

namespace notify::edges {

/// Everything that a request's template says.
[[nodiscard]] flows::TemplateChange to_change(const notification::Template& from);
/// What an update is to change: by its mask or, without one, what is set.
[[nodiscard]] flows::TemplateChange to_change(const notification::UpdateTemplateRequest& request,
                                              rules::Violations& violations);

/// As named by the caller or else by where the call comes from.
[[nodiscard]] flows::TemplateActor to_actor(const std::string& name, const flows::Caller& caller,
                                            rules::Violations& violations);

/// Errors: corrupt if the stored JSON has not the form of a template.
[[nodiscard]] base::Expected<void> encode(const stores::TemplateRow& row,
                                          notification::Template& to);
void encode(const flows::TemplatePreview& preview, notification::PreviewTemplateResponse& to);

/// A page token is the last name shown, opaque to callers.
[[nodiscard]] std::string encode_name_token(const std::string& last);
[[nodiscard]] std::optional<std::string> decode_name_token(std::string_view token);

}  // namespace notify::edges
