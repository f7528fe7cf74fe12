// Requests to HTTP and HTTPS servers.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/executor.h"
#include "base/time.h"
#include "web/environment.h"

namespace tiphys::web {

using Headers = std::vector<std::pair<std::string, std::string>>;

/// Bytes of a file of this host.
struct FilePart {
  std::string path;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

/// Takes the next bytes; false ends the request.
using BodySink = std::function<bool(std::string_view bytes)>;

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  Headers headers;  ///< one called Host says what the server is asked for, in place of the URL's host
  std::string body;
  std::optional<FilePart> file;     ///< sent in place of `body`
  BodySink sink;                    ///< takes the body of an answer of 2xx, however long; only exchange() has it
  std::optional<Duration> timeout;  ///< for all of it, redirects included; absent: none
  bool insecure = false;            ///< the server's certificate is not looked at, and no proxy asked
  bool stays_at_host = false;       ///< an answer that sends elsewhere than to this host is the answer
  bool http2 = false;               ///< HTTP/2 from the first byte on, as gRPC speaks it without TLS
  /// PEM: in place of what the system trusts, and what the client shows; "" none.
  std::string trusted_certificates, client_certificate, client_key;
};

struct HttpAnswer {
  int status = 0;
  Headers headers;
  std::string body;
  std::string status_line{};  ///< "404 Not Found"
};

/// One request under way. Destroying it ends it; its call-back is not called any more.
class HttpCall {
 public:
  virtual ~HttpCall() = default;
};

class HttpClient {
 public:
  using Done = std::move_only_function<void(Result<HttpAnswer>)>;
  virtual ~HttpClient() = default;
  /// `done` is called once, later, unless the call is destroyed before. Errors read as Go's: `Get "URL": dial tcp ...`;
  /// an answer that is too long is kResourceExhausted. Executor's thread only.
  virtual std::unique_ptr<HttpCall> send(HttpRequest request, Done done) = 0;
};

/// The body of an answer may have so many bytes: more would not fit into the object that the original writes it to.
inline constexpr std::size_t kMostBodyBytes = 1536 * 1024;
/// So many requests are under way at once; others wait for their turn, and their time begins with it.
inline constexpr std::size_t kMostRequests = 256;

/// A client that follows redirects as Go's. It has a thread from its first request on, and must not outlive `executor`.
std::unique_ptr<HttpClient> make_http_client(Executor& executor, Environment environment);

}  // namespace tiphys::web
