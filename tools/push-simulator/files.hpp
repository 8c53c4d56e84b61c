#pragma once
// Whole files, read and replaced at once.

#include <filesystem>
#include <string>
#include <string_view>

#include "base/expected.hpp"

namespace notify::simulator {

/// Errors: not_found if there is no such file, unavailable if it cannot be read.
[[nodiscard]] base::Expected<std::string> read_file(const std::filesystem::path& path);

enum class FileMode { world_readable, owner_only };

/// Writes beside the file and renames, so that a reader sees the old or the new content, never
/// half.
[[nodiscard]] base::Expected<void> replace_file(const std::filesystem::path& path,
                                                std::string_view content, FileMode mode);

}  // namespace notify::simulator
