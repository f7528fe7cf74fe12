#include "http/testing.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <optional>
#include <set>

#include "base/check.h"
#include "base/openssl.h"

namespace tiphys::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;

std::string chunk(const std::string& text) {
  return fmt::format("{:x}\r\n{}\r\n", text.size(), text);
}

std::string read_all(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

void add_extension(X509* certificate, int id, const char* value) {
  const Owned<X509_EXTENSION, X509_EXTENSION_free> extension(X509V3_EXT_conf_nid(nullptr, nullptr, id, value));
  X509_add_ext(certificate, extension.get(), -1);
}

}  // namespace

Answer reply(unsigned code, const std::string& body, const std::string& headers) {
  return {fmt::format("HTTP/1.1 {} Some\r\nContent-Length: {}\r\n{}\r\n{}", code, body.size(), headers, body)};
}

Answer stream(const std::string& text, Answer::Then then) {
  std::string bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  if (!text.empty()) bytes += chunk(text);
  if (then == Answer::Then::kKeep) bytes += "0\r\n\r\n";
  return {std::move(bytes), then};
}

TestCertificate TestCertificate::make() {
  prepare_openssl();
  const Owned<EVP_PKEY, EVP_PKEY_free> key(EVP_EC_gen("P-256"));
  const Owned<X509, X509_free> certificate(X509_new());
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_set_pubkey(certificate.get(), key.get());
  X509_NAME* name = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), name);
  add_extension(certificate.get(), NID_basic_constraints, "CA:TRUE");
  add_extension(certificate.get(), NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
  X509_sign(certificate.get(), key.get(), EVP_sha256());
  const Owned<BIO, BIO_free_all> first(BIO_new(BIO_s_mem())), second(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(first.get(), certificate.get());
  PEM_write_bio_PrivateKey(second.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  return {read_all(first.get()), read_all(second.get())};
}

class Session;

class ScriptedServer::State : public std::enable_shared_from_this<State> {
 public:
  State(asio::io_context& context, Script script, const TestCertificate* certificate)
      : context_(context), acceptor_(context, tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0)), script(script) {
    if (!certificate) return;
    tls.emplace(asio::ssl::context::tls_server);
    tls->use_certificate_chain(asio::buffer(certificate->certificate));
    tls->use_private_key(asio::buffer(certificate->key), asio::ssl::context::pem);
  }

  void accept();
  unsigned short port() const { return acceptor_.local_endpoint().port(); }
  void close();

 private:
  asio::io_context& context_;
  tcp::acceptor acceptor_;

 public:
  Script script;
  std::optional<asio::ssl::context> tls;
  std::vector<SeenRequest> seen;
  int connections = 0;
  std::set<std::shared_ptr<Session>> sessions, held;
  bool closed = false;
};

class Session : public std::enable_shared_from_this<Session> {
 public:
  using Server = std::weak_ptr<ScriptedServer::State>;
  Session(tcp::socket socket, ScriptedServer::State& server, int number)
      : socket_(std::move(socket)), server_(server.weak_from_this()), number_(number) {
    if (server.tls) tls_.emplace(socket_, *server.tls);
  }

  void start() {
    if (!tls_) return read();
    tls_->async_handshake(asio::ssl::stream_base::server,
                          [self = shared_from_this()](error_code error) { error ? self->end() : self->read(); });
  }
  void write(std::string bytes, Answer::Then then) {
    out_ = std::move(bytes);
    const auto wrote = [self = shared_from_this(), then](error_code error, std::size_t) {
      if (error || then == Answer::Then::kClose) return self->end();
      if (then == Answer::Then::kKeep) self->read();
    };
    tls_ ? asio::async_write(*tls_, asio::buffer(out_), wrote) : asio::async_write(socket_, asio::buffer(out_), wrote);
  }
  void end() {
    error_code ignored;
    socket_.close(ignored);
    if (const auto server = server_.lock()) {
      server->held.erase(shared_from_this());
      server->sessions.erase(shared_from_this());
    }
  }
  void close() {
    error_code ignored;
    socket_.close(ignored);
  }

 private:
  void read() {
    request_ = {};
    const auto got = [self = shared_from_this()](error_code error, std::size_t) {
      error ? self->end() : self->answer();
    };
    tls_ ? beast::http::async_read(*tls_, buffer_, request_, got)
         : beast::http::async_read(socket_, buffer_, request_, got);
  }

  void answer() {
    const auto server = server_.lock();
    if (!server || server->closed) return end();
    using beast::http::field;
    server->seen.push_back({std::string(request_.method_string()), std::string(request_.target()), request_.body(),
                            std::string(request_[field::authorization]), std::string(request_[field::content_type]),
                            std::string(request_[field::accept]), number_});
    Answer next = server->script(server->seen.back());
    if (next.then == Answer::Then::kHold) server->held.insert(shared_from_this());
    if (next.bytes.empty() && next.then == Answer::Then::kClose) return end();
    if (!next.bytes.empty()) write(std::move(next.bytes), next.then);
  }

  tcp::socket socket_;
  std::optional<asio::ssl::stream<tcp::socket&>> tls_;
  Server server_;
  int number_;
  beast::flat_buffer buffer_;
  beast::http::request<beast::http::string_body> request_;
  std::string out_;
};

void ScriptedServer::State::accept() {
  acceptor_.async_accept([self = shared_from_this()](error_code error, tcp::socket socket) {
    if (error || self->closed) return;
    const auto session = std::make_shared<Session>(std::move(socket), *self, ++self->connections);
    self->sessions.insert(session);
    session->start();
    self->accept();
  });
}

void ScriptedServer::State::close() {
  closed = true;
  acceptor_.close();
  held.clear();
  for (const auto& session : std::exchange(sessions, {})) session->close();
}

ScriptedServer::ScriptedServer(asio::io_context& context, Script script, const TestCertificate* certificate)
    : state_(std::make_shared<State>(context, std::move(script), certificate)) {
  state_->accept();
}

ScriptedServer::~ScriptedServer() {
  state_->close();
}

unsigned short ScriptedServer::port() const {
  return state_->port();
}

const std::vector<SeenRequest>& ScriptedServer::seen() const {
  return state_->seen;
}

int ScriptedServer::connections() const {
  return state_->connections;
}

void ScriptedServer::push(const std::string& text) {
  for (const auto& session : state_->held) session->write(chunk(text), Answer::Then::kHold);
}

void ScriptedServer::cut() {
  for (const auto& session : std::set(state_->held)) session->end();
}

}  // namespace tiphys::http
