#include "providers/secret_file.hpp"

#include <fstream>
#include <iterator>
#include <string>

namespace notify::providers {
namespace {

std::string name_of(std::string_view setting, const std::filesystem::path& path) {
  return std::string(setting) + ' ' + path.string();
}

}  // namespace

base::Expected<base::Secret> read_secret_file(std::string_view setting,
                                              const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  base::Secret content(std::string(std::istreambuf_iterator<char>(file), {}));
  if (!file || content.empty()) {
    return base::fail(base::Errc::invalid, name_of(setting, path) + " cannot be read");
  }
  return content;
}

base::Expected<crypto::Es256Key> read_es256_key(std::string_view setting,
                                                const std::filesystem::path& path) {
  const auto pem = read_secret_file(setting, path);
  if (!pem) return base::fail(pem.error());
  auto key = crypto::Es256Key::from_pem(*pem);
  if (!key) {
    return base::fail(base::Errc::invalid, name_of(setting, path) + ": " + key.error().detail);
  }
  return key;
}

}  // namespace notify::providers
