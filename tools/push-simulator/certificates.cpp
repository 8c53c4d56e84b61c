#include "push-simulator/certificates.hpp"

#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "push-simulator/files.hpp"

namespace notify::simulator {
namespace {

using base::Errc;
using base::Expected;
using base::fail;

constexpr long kDay = 24L * 60 * 60;
constexpr long kValidDays = 825;  // the longest that common clients accept in a server certificate
constexpr const char* kServerNames = "DNS:localhost,IP:127.0.0.1,IP:::1";

std::string drain(BIO& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(&bio, &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

Expected<std::string> certificate_pem(X509& certificate) {
  const BioHandle bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_X509(bio.get(), &certificate) != 1) {
    return fail(Errc::internal, openssl_error());
  }
  return drain(*bio);
}

bool add_extension(X509& certificate, X509& issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, &issuer, &certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
  if (extension == nullptr) return false;
  const bool added = X509_add_ext(&certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return added;
}

bool set_random_serial(X509& certificate) {
  std::uint64_t serial = 0;
  if (RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) != 1) return false;
  return ASN1_INTEGER_set_uint64(X509_get_serialNumber(&certificate), serial >> 1) == 1;
}

/// From now on, in seconds. The clock is set back an hour, for clients whose own clock is a little
/// late.
struct Validity {
  long begins = -3600;
  long ends = kValidDays * kDay;
};
constexpr Validity kExpired = {-2 * kDay, -kDay};

/// Everything but extensions and signature.
CertHandle blank_certificate(EVP_PKEY& key, const char* common_name, Validity validity) {
  CertHandle certificate(X509_new());
  if (!certificate || X509_set_version(certificate.get(), 2) != 1) return nullptr;
  X509_NAME* name = X509_get_subject_name(certificate.get());
  const auto* text = reinterpret_cast<const unsigned char*>(common_name);
  const bool ok =
      set_random_serial(*certificate) &&
      X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, text, -1, -1, 0) == 1 &&
      X509_gmtime_adj(X509_getm_notBefore(certificate.get()), validity.begins) != nullptr &&
      X509_gmtime_adj(X509_getm_notAfter(certificate.get()), validity.ends) != nullptr &&
      X509_set_pubkey(certificate.get(), &key) == 1;
  return ok ? std::move(certificate) : nullptr;
}

CertHandle make_ca(EVP_PKEY& key) {
  CertHandle ca = blank_certificate(key, "push-simulator private CA", {});
  const bool ok = ca && X509_set_issuer_name(ca.get(), X509_get_subject_name(ca.get())) == 1 &&
                  add_extension(*ca, *ca, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
                  add_extension(*ca, *ca, NID_key_usage, "critical,keyCertSign,cRLSign") &&
                  add_extension(*ca, *ca, NID_subject_key_identifier, "hash") &&
                  X509_sign(ca.get(), &key, EVP_sha256()) > 0;
  return ok ? std::move(ca) : nullptr;
}

CertHandle make_leaf(EVP_PKEY& key, X509& ca, EVP_PKEY& ca_key, Validity validity) {
  CertHandle leaf = blank_certificate(key, "localhost", validity);
  const bool ok = leaf && X509_set_issuer_name(leaf.get(), X509_get_subject_name(&ca)) == 1 &&
                  add_extension(*leaf, ca, NID_basic_constraints, "critical,CA:FALSE") &&
                  add_extension(*leaf, ca, NID_key_usage, "critical,digitalSignature") &&
                  add_extension(*leaf, ca, NID_ext_key_usage, "serverAuth") &&
                  add_extension(*leaf, ca, NID_subject_key_identifier, "hash") &&
                  add_extension(*leaf, ca, NID_authority_key_identifier, "keyid") &&
                  add_extension(*leaf, ca, NID_subject_alt_name, kServerNames) &&
                  X509_sign(leaf.get(), &ca_key, EVP_sha256()) > 0;
  return ok ? std::move(leaf) : nullptr;
}

Expected<ServerIdentity> make_identity() {
  auto ca_key = make_p256_key();
  auto key = make_p256_key();
  if (!ca_key) return fail(ca_key.error());
  if (!key) return fail(key.error());
  const CertHandle ca = make_ca(**ca_key);
  const CertHandle leaf = ca ? make_leaf(**key, *ca, **ca_key, {}) : nullptr;
  const CertHandle expired = ca ? make_leaf(**key, *ca, **ca_key, kExpired) : nullptr;
  if (!leaf || !expired) return fail(Errc::internal, "making certificates: " + openssl_error());
  auto ca_pem = certificate_pem(*ca);
  auto leaf_pem = certificate_pem(*leaf);
  auto expired_pem = certificate_pem(*expired);
  auto key_pem = private_key_pem(**key);
  if (!ca_pem) return fail(ca_pem.error());
  if (!leaf_pem) return fail(leaf_pem.error());
  if (!expired_pem) return fail(expired_pem.error());
  if (!key_pem) return fail(key_pem.error());
  return ServerIdentity{*std::move(ca_pem), *std::move(leaf_pem), *std::move(expired_pem),
                        *std::move(key_pem)};
}

bool still_good(const std::string& pem, base::WallTime now) {
  const BioHandle bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const CertHandle certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  if (!certificate) {
    ERR_clear_error();
    return false;
  }
  std::time_t tomorrow = std::chrono::system_clock::to_time_t(now) + kDay;
  return X509_cmp_time(X509_get0_notAfter(certificate.get()), &tomorrow) > 0;
}

}  // namespace

Expected<KeyHandle> make_p256_key() {
  KeyHandle key(EVP_EC_gen("P-256"));
  if (!key) return fail(Errc::internal, "making a P-256 key: " + openssl_error());
  return key;
}

Expected<std::string> private_key_pem(EVP_PKEY& key) {
  const BioHandle bio(BIO_new(BIO_s_mem()));
  if (!bio ||
      PEM_write_bio_PKCS8PrivateKey(bio.get(), &key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return fail(Errc::internal, openssl_error());
  }
  return drain(*bio);
}

Expected<ServerIdentity> load_or_make_identity(const std::filesystem::path& directory,
                                               base::WallTime now) {
  auto ca = read_file(directory / "ca.pem");
  auto certificate = read_file(directory / "server.pem");
  auto expired = read_file(directory / "expired.pem");
  auto key = read_file(directory / "server.key");
  const bool complete = ca && certificate && expired && key;
  if (complete && still_good(*ca, now) && still_good(*certificate, now)) {
    return ServerIdentity{*std::move(ca), *std::move(certificate), *std::move(expired),
                          *std::move(key)};
  }
  auto made = make_identity();
  if (!made) return made;
  struct File {
    const char* name;
    const std::string& content;
    FileMode mode;
  };
  for (const File& file : {File{"server.key", made->key_pem, FileMode::owner_only},
                           File{"server.pem", made->certificate_pem, FileMode::world_readable},
                           File{"expired.pem", made->expired_pem, FileMode::world_readable},
                           File{"ca.pem", made->ca_pem, FileMode::world_readable}}) {
    if (auto written = replace_file(directory / file.name, file.content, file.mode); !written) {
      return fail(written.error());
    }
  }
  return made;
}

}  // namespace notify::simulator
