#include "proxy/net/tls_authority.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include "base/unique_fd.h"
#include "proxy/proxy.h"

namespace misrule::proxy {

namespace {

constexpr long kDay = 24L * 60 * 60;
/// Clocks of containers differ, and no run lasts longer.
constexpr long kValidBefore = kDay;
constexpr long kValidAfter = 30 * kDay;
constexpr int kVersion3 = 2;
/// What a certificate's common name may have.
constexpr std::size_t kCommonNameMax = 64;

struct ExtensionText {
  int kind = 0;
  std::string value = {};
};

Result<PrivateKey> make_key() {
  PrivateKey key(::EVP_EC_gen("P-256"));
  if (!key) return openssl_failure("making a key");
  return key;
}

Status add_extensions(X509* certificate, X509* issuer, const std::vector<ExtensionText>& texts) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  ::X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  for (const ExtensionText& text : texts) {
    X509_EXTENSION* extension =
        ::X509V3_EXT_conf_nid(nullptr, &context, text.kind, text.value.c_str());
    if (extension == nullptr) return openssl_failure("a certificate's extension");
    ::X509_add_ext(certificate, extension, -1);
    ::X509_EXTENSION_free(extension);
  }
  return {};
}

void set_serial(X509* certificate) {
  std::array<unsigned char, 16> bytes{};
  ::RAND_bytes(bytes.data(), bytes.size());
  bytes[0] &= 0x7fU;
  BIGNUM* number = ::BN_bin2bn(bytes.data(), bytes.size(), nullptr);
  ::BN_to_ASN1_INTEGER(number, ::X509_get_serialNumber(certificate));
  ::BN_free(number);
}

/// All but issuer, extensions and signature.
Certificate begin_certificate(EVP_PKEY* key, const std::string& common_name) {
  Certificate certificate(::X509_new());
  ::X509_set_version(certificate.get(), kVersion3);
  set_serial(certificate.get());
  ::X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -kValidBefore);
  ::X509_gmtime_adj(X509_getm_notAfter(certificate.get()), kValidAfter);
  ::X509_set_pubkey(certificate.get(), key);
  const std::string name = common_name.substr(0, kCommonNameMax);
  ::X509_NAME_add_entry_by_txt(::X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  return certificate;
}

Result<Identity> make_authority_identity() {
  MISRULE_TRY(PrivateKey key, make_key());
  Certificate own = begin_certificate(key.get(), "Misrule run CA");
  ::X509_set_issuer_name(own.get(), ::X509_get_subject_name(own.get()));
  MISRULE_TRY_VOID(add_extensions(own.get(), own.get(),
                                  {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                                   {NID_key_usage, "critical,keyCertSign,cRLSign"},
                                   {NID_subject_key_identifier, "hash"}}));
  if (::X509_sign(own.get(), key.get(), ::EVP_sha256()) == 0) return openssl_failure("signing");
  return Identity{.certificate = std::move(own), .key = std::move(key)};
}

using PemWriter = std::function<int(BIO*)>;

/// Whole or not at all, and with this mode from its first byte on.
Status write_pem(const std::string& path, mode_t mode, const PemWriter& write) {
  const std::string fresh = fmt::format("{}.{}", path, ::getpid());
  UniqueFd fd(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!fd.valid()) return std::unexpected(errno_error("writing " + path, errno));
  ::fchmod(fd.fd(), mode);
  BIO* bio = ::BIO_new_fd(fd.fd(), BIO_NOCLOSE);
  const bool written = write(bio) == 1;
  ::BIO_free(bio);
  if (!written) return openssl_failure("writing " + path);
  if (::rename(fresh.c_str(), path.c_str()) != 0) {
    return std::unexpected(errno_error("writing " + path, errno));
  }
  return {};
}

std::string cert_path(const std::string& folder) { return folder + "/ca.pem"; }
std::string key_path(const std::string& folder) { return folder + "/ca.key"; }

/// Names as a certificate's extension spells them. What holds more than names do would be read as
/// another list.
bool is_host(std::string_view name) {
  const auto plain = [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  };
  return !name.empty() && name.size() <= 253 && std::ranges::all_of(name, plain);
}

bool is_address(const std::string& name) {
  in6_addr address;
  return ::inet_pton(AF_INET, name.c_str(), &address) == 1 ||
         ::inet_pton(AF_INET6, name.c_str(), &address) == 1;
}

std::string alternative_names(const std::vector<std::string>& names) {
  std::string text = "DNS:localhost,IP:127.0.0.1,IP:::1";
  for (const std::string& name : names) {
    if (is_address(name)) {
      text += ",IP:" + name;
    } else if (is_host(name) && name != "localhost") {
      text += ",DNS:" + name;
    }
  }
  return text;
}

}  // namespace

Result<std::string> make_authority(const std::string& folder) {
  std::string path = cert_path(folder);
  std::error_code error;
  if (std::filesystem::exists(path, error) && std::filesystem::exists(key_path(folder), error)) {
    return path;
  }
  MISRULE_TRY(const Identity own, make_authority_identity());
  MISRULE_TRY_VOID(write_pem(key_path(folder), 0600, [&own](BIO* bio) {
    return ::PEM_write_bio_PrivateKey(bio, own.key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  }));
  MISRULE_TRY_VOID(write_pem(
      path, 0644, [&own](BIO* bio) { return ::PEM_write_bio_X509(bio, own.certificate.get()); }));
  return path;
}

Result<std::unique_ptr<Authority>> Authority::load(const std::string& folder) {
  const std::string cert = cert_path(folder);
  const std::string key = key_path(folder);
  const std::unique_ptr<BIO, OpenSslFree> cert_file(::BIO_new_file(cert.c_str(), "r"));
  const std::unique_ptr<BIO, OpenSslFree> key_file(::BIO_new_file(key.c_str(), "r"));
  if (!cert_file || !key_file) return openssl_failure("reading the authority in " + folder);
  Identity own{
      .certificate = Certificate(::PEM_read_bio_X509(cert_file.get(), nullptr, nullptr, nullptr)),
      .key = PrivateKey(::PEM_read_bio_PrivateKey(key_file.get(), nullptr, nullptr, nullptr))};
  if (!own.certificate || !own.key) return openssl_failure("reading the authority in " + folder);
  return std::unique_ptr<Authority>(new Authority(std::move(own)));
}

Result<Identity> Authority::issue(const std::vector<std::string>& names) const {
  MISRULE_TRY(PrivateKey key, make_key());
  const auto named = std::ranges::find_if(names, [](const auto& name) { return is_host(name); });
  Certificate leaf = begin_certificate(key.get(), named == names.end() ? "localhost" : *named);
  ::X509_set_issuer_name(leaf.get(), ::X509_get_subject_name(own_.certificate.get()));
  MISRULE_TRY_VOID(add_extensions(leaf.get(), own_.certificate.get(),
                                  {{NID_basic_constraints, "critical,CA:FALSE"},
                                   {NID_key_usage, "critical,digitalSignature"},
                                   {NID_ext_key_usage, "serverAuth"},
                                   {NID_subject_key_identifier, "hash"},
                                   {NID_authority_key_identifier, "keyid:always"},
                                   {NID_subject_alt_name, alternative_names(names)}}));
  if (::X509_sign(leaf.get(), own_.key.get(), ::EVP_sha256()) == 0) {
    return openssl_failure("signing");
  }
  return Identity{.certificate = std::move(leaf), .key = std::move(key)};
}

}  // namespace misrule::proxy
