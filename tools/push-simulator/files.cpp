#include "push-simulator/files.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

namespace notify::simulator {

using base::Errc;
using base::Expected;
using base::fail;

Expected<std::string> read_file(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    return fail(Errc::not_found, path.string() + " does not exist");
  }
  std::ifstream in(path, std::ios::binary);
  std::string content((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (!in) return fail(Errc::unavailable, path.string() + " cannot be read");
  return content;
}

Expected<void> replace_file(const std::filesystem::path& path, std::string_view content,
                            FileMode mode) {
  const std::filesystem::path temporary = path.string() + ".new";
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
                        mode == FileMode::owner_only ? 0600 : 0644);
  bool written = fd >= 0;
  while (written && !content.empty()) {
    const ::ssize_t count = ::write(fd, content.data(), content.size());
    written = count > 0;
    if (written) content.remove_prefix(static_cast<std::size_t>(count));
  }
  if (fd >= 0) written = ::close(fd) == 0 && written;
  if (!written || ::rename(temporary.c_str(), path.c_str()) != 0) {
    return fail(Errc::unavailable, path.string() + " cannot be written: " + std::strerror(errno));
  }
  return {};
}

}  // namespace notify::simulator
