#include "http/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <boost/asio/ssl/context.hpp>

#include "base/openssl.h"

namespace tiphys::http {
namespace {

namespace ssl = boost::asio::ssl;

std::unexpected<Error> refuse(std::string_view what) {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return fail(Code::kInvalidArgument, std::string(what) + ": " + (reason ? reason : "not PEM"));
}

}  // namespace

Tls::Tls(TlsOptions options)
    : options_(std::move(options)), context_(std::make_unique<ssl::context>(ssl::context::tls_client)) {}

Tls::~Tls() = default;

Result<std::shared_ptr<const Tls>> Tls::make(TlsOptions options) {
  prepare_openssl();
  std::shared_ptr<Tls> tls(new Tls(std::move(options)));
  SSL_CTX* context = tls->context_->native_handle();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  TIPHYS_CHECK_OK(tls->trust());
  TIPHYS_CHECK_OK(tls->show());
  return tls;
}

Status Tls::trust() {
  SSL_CTX* context = context_->native_handle();
  SSL_CTX_set_verify(context, options_.insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nullptr);
  if (options_.insecure) return {};
  // As in Go: what is trusted need not be a root, and names stand in the certificate's alternative names alone.
  X509_VERIFY_PARAM* rules = SSL_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_PARTIAL_CHAIN);
  X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  const std::string& name = options_.server_name;
  if (X509_VERIFY_PARAM_set1_ip_asc(rules, name.c_str()) != 1) {
    X509_VERIFY_PARAM_set1_host(rules, name.c_str(), name.size());
  }
  ERR_clear_error();
  if (options_.ca.empty()) {
    SSL_CTX_set_default_verify_paths(context);
    return {};
  }
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  const Owned<BIO, BIO_free_all> text(BIO_new_mem_buf(options_.ca.data(), static_cast<int>(options_.ca.size())));
  std::size_t count = 0;
  while (const Owned<X509, X509_free> each{PEM_read_bio_X509(text.get(), nullptr, nullptr, nullptr)}) {
    if (X509_STORE_add_cert(store, each.get()) != 1) return refuse("the certificate authority");
    ++count;
  }
  if (count == 0) return refuse("the certificate authority");
  ERR_clear_error();
  return {};
}

Status Tls::show() {
  if (options_.certificate.empty()) return {};
  boost::system::error_code error;
  context_->use_certificate_chain(boost::asio::buffer(options_.certificate), error);
  if (error) return refuse("the client certificate");
  context_->use_private_key(boost::asio::buffer(options_.key), ssl::context::pem, error);
  if (error) return refuse("the client's key");
  if (SSL_CTX_check_private_key(context_->native_handle()) != 1) return refuse("the client's certificate and key");
  return {};
}

}  // namespace tiphys::http
