#pragma once
// A file that lives as long as its object.

#include <unistd.h>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>

namespace notify::config {

class ScratchFile {
 public:
  explicit ScratchFile(const std::string& text) {
    static std::atomic<int> count = 0;
    path_ = std::filesystem::temp_directory_path() /
            ("notify-config-" + std::to_string(getpid()) + "-" + std::to_string(count++) + ".yaml");
    std::ofstream(path_) << text;
  }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  ~ScratchFile() { std::filesystem::remove(path_); }

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::string at(int line, int column) const {
    return path_.string() + ":" + std::to_string(line) + ":" + std::to_string(column);
  }

 private:
  std::filesystem::path path_;
};

}  // namespace notify::config
