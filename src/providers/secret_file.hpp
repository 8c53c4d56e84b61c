#pragma once
// Files that hold keys and accounts.

#include <filesystem>
#include <string_view>

#include "base/expected.hpp"
#include "base/secret.hpp"
#include "crypto/es256.hpp"

namespace notify::providers {

/// `setting` names the field of the configuration in errors.
/// Errors: Errc::invalid if the file cannot be read or is empty.
[[nodiscard]] base::Expected<base::Secret> read_secret_file(std::string_view setting,
                                                            const std::filesystem::path& path);

/// Errors: Errc::invalid, also if it holds no P-256 key in PEM.
[[nodiscard]] base::Expected<crypto::Es256Key> read_es256_key(std::string_view setting,
                                                              const std::filesystem::path& path);

}  // namespace notify::providers
