#include "web/transfer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>

#include "base/network_doors.h"
#include "base/strings.h"
#include "web/request_rules.h"

namespace tiphys::web {
namespace {

using Clock = std::chrono::steady_clock;

/// As long as Go's client waits for a connection.
constexpr long kConnectMilliseconds = 30'000;
constexpr std::chrono::milliseconds kClockSlack(10);
constexpr std::size_t kMostHeaders = 10'000;
/// What the way of the body says, not the request.
constexpr std::string_view kNotSent[] = {"content-length", "transfer-encoding", "trailer"};
/// libcurl's own, which Go does not send.
constexpr std::string_view kUnwanted[] = {"Accept", "Expect", "Content-Type"};

}  // namespace

Transfer::Transfer(const Libcurl& curl, const Environment& environment, HttpRequest request)
    : curl_(curl), environment_(environment), request_(std::move(request)), easy_(curl.curl_easy_init()) {
  if (request_.timeout) deadline_ = Clock::now() + *request_.timeout;
}

Transfer::~Transfer() {
  if (easy_) curl_.curl_easy_cleanup(easy_);
  curl_.curl_slist_free_all(headers_);
}

Status Transfer::begin() {
  TIPHYS_CHECK_OK(check_method(request_.method));
  auto url = Url::parse(curl_, request_.url);
  if (!url) return std::unexpected(url.error().in(fmt::format("parse \"{}\"", request_.url)));
  url_.emplace(std::move(*url));
  if (auto headers = check_headers(request_.headers); !headers) return failed(headers.error().message);
  return prepare();
}

template <typename Value>
void Transfer::set(CURLoption option, Value value) {
  complete_ = curl_.curl_easy_setopt(easy_, option, value) == CURLE_OK && complete_;
}

/// For the URL as it is now.
Status Transfer::prepare() {
  if (url_->scheme() != "http" && url_->scheme() != "https") {
    return failed(fmt::format("unsupported protocol scheme \"{}\"", url_->scheme()));
  }
  if (url_->host().empty()) return failed("http: no Host in request URL");
  answer_ = {};
  answering_ = false;
  address_.clear();
  complete_ = easy_ != nullptr;
  if (!complete_) return fail(Code::kResourceExhausted, "no memory for a request");
  if (request_.file) {
    file_.reset(::open(request_.file->path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file_) return fail_errno(request_.file->path, errno);
    sent_ = 0;
  }
  set_request();
  set_way();
  if (!complete_) return fail(Code::kInternal, "libcurl refuses an option of the request");
  return {};
}

void Transfer::set_request() {
  set(CURLOPT_URL, url_->text().c_str());
  set(CURLOPT_PATH_AS_IS, 1L);
  set_body();
  set(CURLOPT_CUSTOMREQUEST, request_.method.c_str());
  // libcurl sends a request again when a connection that it kept turns out to be closed: these must not come twice.
  set(CURLOPT_FRESH_CONNECT, request_.method == "POST" || request_.method == "PATCH" ? 1L : 0L);
  curl_.curl_slist_free_all(headers_);
  headers_ = nullptr;
  const auto add = [&](const std::string& line) {
    curl_slist* longer = curl_.curl_slist_append(headers_, line.c_str());
    complete_ = complete_ && longer;
    if (longer) headers_ = longer;
  };
  for (const auto& [name, value] : request_.headers) {
    if (std::ranges::any_of(kNotSent, [&](std::string_view each) { return same_header(each, name); })) continue;
    const std::string_view text = trim(value);
    add(text.empty() ? name + ";" : fmt::format("{}: {}", name, text));
  }
  for (const std::string_view name : kUnwanted) {
    if (!find_header(request_.headers, name)) add(std::string(name) + ":");
  }
  if (!find_header(request_.headers, "user-agent")) add("User-Agent: tiphys");
  if (!referer_.empty() && !find_header(request_.headers, "referer")) add("Referer: " + referer_);
  set(CURLOPT_HTTPHEADER, headers_);
  const bool own_encoding = find_header(request_.headers, "accept-encoding") || find_header(request_.headers, "range");
  set(CURLOPT_ACCEPT_ENCODING, own_encoding || request_.method == "HEAD" ? nullptr : "gzip");
}

void Transfer::set_body() {
  const bool has_body =
      !request_.body.empty() || request_.method == "POST" || request_.method == "PUT" || request_.method == "PATCH";
  set(CURLOPT_HTTPGET, 1L);
  if (request_.method == "HEAD") {
    set(CURLOPT_NOBODY, 1L);
  } else if (request_.file) {
    set(CURLOPT_UPLOAD, 1L);
    set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request_.file->size));
    set(CURLOPT_READDATA, this);
    set(
        CURLOPT_READFUNCTION, +[](char* bytes, std::size_t, std::size_t size, void* self) -> std::size_t {
          return static_cast<Transfer*>(self)->give_body({bytes, size});
        });
    set(CURLOPT_SEEKDATA, this);
    set(
        CURLOPT_SEEKFUNCTION, +[](void* self, curl_off_t offset, int) -> int {
          static_cast<Transfer*>(self)->sent_ = static_cast<std::uint64_t>(offset);
          return CURL_SEEKFUNC_OK;
        });
  } else if (has_body) {
    set(CURLOPT_POST, 1L);
    set(CURLOPT_POSTFIELDS, request_.body.data());
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
  }
}

std::size_t Transfer::give_body(std::span<char> bytes) {
  const std::uint64_t left = request_.file->size - std::min(sent_, request_.file->size);
  const std::size_t most = static_cast<std::size_t>(std::min<std::uint64_t>(left, bytes.size()));
  const ssize_t count = ::pread(file_.get(), bytes.data(), most, static_cast<off_t>(request_.file->offset + sent_));
  if (count < 0 || (count == 0 && most > 0)) return CURL_READFUNC_ABORT;
  sent_ += static_cast<std::uint64_t>(count);
  return static_cast<std::size_t>(count);
}

void Transfer::set_certificates() {
  const auto set_blob = [&](CURLoption option, const char* type_name, CURLoption type, const std::string& pem) {
    if (pem.empty()) return;
    curl_blob blob{const_cast<char*>(pem.data()), pem.size(), CURL_BLOB_COPY};
    set(option, &blob);
    if (type_name) set(type, type_name);
  };
  set_blob(CURLOPT_CAINFO_BLOB, nullptr, CURLOPT_CAINFO, request_.trusted_certificates);
  set_blob(CURLOPT_SSLCERT_BLOB, "PEM", CURLOPT_SSLCERTTYPE, request_.client_certificate);
  set_blob(CURLOPT_SSLKEY_BLOB, "PEM", CURLOPT_SSLKEYTYPE, request_.client_key);
  if (!request_.trusted_certificates.empty()) return set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  if (!environment_.certificate_file.empty()) set(CURLOPT_CAINFO, environment_.certificate_file.c_str());
  if (!environment_.certificate_folder.empty()) set(CURLOPT_CAPATH, environment_.certificate_folder.c_str());
}

/// How it goes there and who is told of it.
void Transfer::set_way() {
  set(CURLOPT_NOSIGNAL, 1L);
  // 7.87 and later: nobody waits for a resolver that does not answer.
  (void)curl_.curl_easy_setopt(easy_, CURLOPT_QUICK_EXIT, 1L);
  set(CURLOPT_ERRORBUFFER, error_);
  set(CURLOPT_CONNECTTIMEOUT_MS, kConnectMilliseconds);
  if (deadline_) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline_ - Clock::now()).count();
    set(CURLOPT_TIMEOUT_MS, std::max(1L, static_cast<long>(left)));
  }
  const std::string& proxy = url_->scheme() == "https" ? environment_.https_proxy : environment_.http_proxy;
  const bool direct = request_.insecure || url_->is_loopback();
  set(CURLOPT_PROXY, direct ? "" : proxy.c_str());
  set(CURLOPT_NOPROXY, environment_.no_proxy.c_str());
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(CURLOPT_SSL_VERIFYPEER, request_.insecure ? 0L : 1L);
  set(CURLOPT_SSL_VERIFYHOST, request_.insecure ? 0L : 2L);
  set_certificates();
  if (!unix_path_.empty()) set(CURLOPT_UNIX_SOCKET_PATH, unix_path_.c_str());
  if (request_.http2) set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE));
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  if (stop_.stop_possible()) {
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFODATA, this);
    set(
        CURLOPT_XFERINFOFUNCTION, +[](void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) -> int {
          return static_cast<Transfer*>(self)->stop_.stop_requested() ? 1 : 0;
        });
  }

  set(CURLOPT_OPENSOCKETDATA, this);
  set(
      CURLOPT_OPENSOCKETFUNCTION, +[](void* self, curlsocktype, curl_sockaddr* address) -> curl_socket_t {
        return static_cast<Transfer*>(self)->open_socket(*address);
      });
  set(CURLOPT_HEADERDATA, this);
  set(
      CURLOPT_HEADERFUNCTION, +[](char* bytes, std::size_t, std::size_t size, void* self) -> std::size_t {
        static_cast<Transfer*>(self)->take_header({bytes, size});
        return size;
      });
  set(CURLOPT_WRITEDATA, this);
  set(
      CURLOPT_WRITEFUNCTION, +[](char* bytes, std::size_t, std::size_t size, void* self) -> std::size_t {
        return static_cast<Transfer*>(self)->take_body({bytes, size}) ? size : 0;
      });
}

int Transfer::open_socket(const curl_sockaddr& address) {
  char host[NI_MAXHOST] = {};
  char port[NI_MAXSERV] = {};
  constexpr int kNumbers = NI_NUMERICHOST | NI_NUMERICSERV;
  if (::getnameinfo(&address.addr, address.addrlen, host, sizeof host, port, sizeof port, kNumbers) == 0) {
    address_ = std::strchr(host, ':') ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
  }
  if (address.family == AF_INET && address.socktype == SOCK_STREAM) {
    return NetworkDoors::of_process().open_tcp(
        ntohl(reinterpret_cast<const sockaddr_in&>(address.addr).sin_addr.s_addr));
  }
  return ::socket(address.family, address.socktype | SOCK_CLOEXEC, address.protocol);
}

void Transfer::take_header(std::string_view line) {
  if (line.starts_with("HTTP/")) {  // again after 100 Continue
    answer_.headers.clear();
    answering_ = false;
    answer_.status_line = trim(line.substr(std::min(line.find(' '), line.size())));
    return;
  }
  const auto colon = line.find(':');
  if (colon == line.npos) {
    answering_ = true;
  } else if ((!answering_ || request_.http2) && answer_.headers.size() < kMostHeaders) {
    // What comes after the body is a header only to gRPC.
    answer_.headers.emplace_back(trim(line.substr(0, colon)), trim(line.substr(colon + 1)));
  }
}

bool Transfer::take_body(std::string_view bytes) {
  if (request_.sink) {
    long status = 0;
    curl_.curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 200 && status < 300) return request_.sink(bytes);
    bytes = bytes.substr(0, kMostBodyBytes - answer_.body.size());
  }
  too_long_ = answer_.body.size() + bytes.size() > kMostBodyBytes;
  if (!too_long_) answer_.body += bytes;
  return !too_long_;
}

std::optional<Result<HttpAnswer>> Transfer::ended(CURLcode code) {
  if (too_long_) {
    return fail(Code::kResourceExhausted, fmt::format("the answer's body has more than {} bytes", kMostBodyBytes));
  }
  if (code != CURLE_OK) {
    // Go tells what it was doing only while it waits for the answer's headers.
    if (answering_) return fail(Code::kUnavailable, words(code));
    return failed(words(code));
  }
  long status = 0;
  curl_.curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  answer_.status = static_cast<int>(status);
  if (const auto location = redirection(answer_)) return follow(*location);
  const std::string* encoding = find_header(answer_.headers, "content-encoding");
  if (encoding && same_header(*encoding, "gzip") && !find_header(request_.headers, "accept-encoding")) {
    std::erase_if(answer_.headers, [](const auto& header) {
      return same_header(header.first, "content-encoding") || same_header(header.first, "content-length");
    });
  }
  return std::move(answer_);
}

std::optional<Result<HttpAnswer>> Transfer::follow(const std::string& location) {
  auto next = url_->resolve(location);
  if (!next) {
    return failed(fmt::format("failed to parse Location header \"{}\": {}", location, next.error().message));
  }
  if (request_.stays_at_host && next->host() != url_->host()) return std::move(answer_);
  referer_ = referer(*url_, *next);
  redirect(request_, answer_.status, location, *url_, *next);
  url_.emplace(std::move(*next));
  if (++redirects_ >= kMostRedirects) return failed(fmt::format("stopped after {} redirects", kMostRedirects));
  if (auto ready = prepare(); !ready) return std::unexpected(ready.error());
  return std::nullopt;
}

/// What went wrong, as Go words it where it is one of the usual things.
std::string Transfer::words(CURLcode code) const {
  const char* told = error_[0] ? error_ : curl_.curl_easy_strerror(code);
  long number = 0;
  curl_.curl_easy_getinfo(easy_, CURLINFO_OS_ERRNO, &number);
  std::string reason = number ? std::strerror(static_cast<int>(number)) : told;
  if (!reason.empty()) reason[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(reason[0])));
  switch (code) {
    case CURLE_ABORTED_BY_CALLBACK:
      if (stop_.stop_requested()) return "context canceled";
      return file_ ? fmt::format("read {}: {}", request_.file->path, reason) : reason;
    case CURLE_COULDNT_RESOLVE_HOST:
      return fmt::format("dial tcp: lookup {}: no such host", url_->host());
    case CURLE_COULDNT_RESOLVE_PROXY:
      return fmt::format("proxyconnect tcp: dial tcp: {}", told);
    case CURLE_COULDNT_CONNECT:
      return fmt::format("dial tcp {}: connect: {}", address_, reason);
    case CURLE_OPERATION_TIMEDOUT:
      // libcurl rounds its times: it may be a little early.
      if (deadline_ && Clock::now() + kClockSlack >= *deadline_) {
        return "context deadline exceeded";
      }
      return fmt::format("dial tcp {}: i/o timeout", address_);
    case CURLE_GOT_NOTHING:
      return "EOF";
    case CURLE_PARTIAL_FILE:
      return "unexpected EOF";
    case CURLE_RECV_ERROR:
      return fmt::format("read tcp {}: read: {}", address_, reason);
    case CURLE_SEND_ERROR:
      return fmt::format("write tcp {}: write: {}", address_, reason);
    case CURLE_PEER_FAILED_VERIFICATION:
      return fmt::format("tls: failed to verify certificate: {}", told);
    case CURLE_SSL_CONNECT_ERROR:
      return fmt::format("tls: {}", told);
    default:
      return told;
  }
}

std::unexpected<Error> Transfer::failed(std::string_view why) const {
  std::string method = request_.method;
  std::ranges::transform(method, method.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  method[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(method[0])));
  return fail(Code::kUnavailable, fmt::format("{} \"{}\": {}", method, url_->shown(), why));
}

}  // namespace tiphys::web
