#include "integration/net_http2/private_ca.hpp"

#include <cstdlib>
#include <stdexcept>

namespace notify::http2 {
namespace {

void openssl(const std::string& arguments) {
  const std::string command = "openssl " + arguments + " >/dev/null 2>&1";
  if (std::system(command.c_str()) != 0) throw std::runtime_error(command);
}

void make_authority(const std::string& key, const std::string& certificate) {
  openssl(
      "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=test-ca"
      " -keyout " +
      key + " -out " + certificate);
}

}  // namespace

PrivateCa::PrivateCa() {
  std::string pattern = (std::filesystem::temp_directory_path() / "net_http2.XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
  folder = pattern;
  const auto file = [this](const char* name) { return (folder / name).string(); };
  ca = file("ca.pem");
  other_ca = file("other.pem");
  key = file("server.key");
  certificate = file("server.pem");
  make_authority(file("ca.key"), ca);
  make_authority(file("other.key"), other_ca);
  openssl("req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=server -keyout " + key +
          " -out " + file("server.csr") + " -addext subjectAltName=DNS:localhost");
  openssl("x509 -req -days 2 -CAcreateserial -copy_extensions copy -in " + file("server.csr") +
          " -CA " + ca + " -CAkey " + file("ca.key") + " -out " + certificate);
}

PrivateCa::~PrivateCa() {
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
}

const PrivateCa& PrivateCa::instance() {
  static const PrivateCa made;
  return made;
}

}  // namespace notify::http2
