#include "net/tls/certificates.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/context.hpp>
#include <fstream>
#include <sstream>
#include <utility>

namespace notify::net {
namespace {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

std::string read(const std::string& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return std::move(text).str();
}

base::Unexpected<base::Error> unusable(const std::string& file, const error_code& error) {
  return base::fail(base::Errc::invalid, file + ": " + error.message());
}

}  // namespace

base::Expected<Certificates> read_certificates(const CertificateFiles& files) {
  Certificates read_now{read(files.cert_file), read(files.key_file), read(files.ca_file)};
  ssl::context context(ssl::context::tls_server);
  error_code error;
  context.use_certificate_chain(boost::asio::buffer(read_now.cert), error);
  if (error) return unusable(files.cert_file, error);
  // One that has a passphrase is refused, not asked for on the terminal.
  context.set_password_callback([](std::size_t, ssl::context::password_purpose) { return ""; });
  // This also says whether the key is that certificate's.
  context.use_private_key(boost::asio::buffer(read_now.key), ssl::context::pem, error);
  if (error) return unusable(files.key_file, error);
  context.add_certificate_authority(boost::asio::buffer(read_now.ca), error);
  if (error) return unusable(files.ca_file, error);
  return read_now;
}

}  // namespace notify::net
