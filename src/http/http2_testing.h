// A server of HTTP/2 that answers as a test tells it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "http/http2_client.h"
#include "http/testing.h"

namespace tiphys::http {

struct SeenHttp2Request {
  std::map<std::string, std::string> fields;
  std::string body;
  int connection = 0;  ///< counted from 1
};

struct Http2Answer {
  enum class Then {
    kEnd,
    kHold,    ///< the answer goes on, and nothing further comes
    kReset,   ///< RST_STREAM in place of an end
    kRefuse,  ///< RST_STREAM before anything else: nothing was done
    kGoAway,  ///< nothing is begun after this, which ends
    kCut,     ///< the connection is closed
  };
  Fields fields{{":status", "200"}};
  std::vector<std::string> parts;  ///< of the body, each a frame
  Fields trailers;
  Then then = Then::kEnd;
};

/// Listens on 127.0.0.1, on the context's thread.
class Http2Server {
 public:
  using Script = std::function<Http2Answer(const SeenHttp2Request&)>;
  /// With a certificate it speaks TLS; `protocol` is what it then says that it speaks, "" for nothing.
  Http2Server(boost::asio::io_context& context, Script script, const TestCertificate* certificate = nullptr,
              std::string protocol = "h2");
  ~Http2Server();
  Http2Server(const Http2Server&) = delete;

  unsigned short port() const;
  const std::vector<SeenHttp2Request>& seen() const;
  int connections() const;
  /// Answers whose reader has gone before their end.
  int cancelled() const;

  class State;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace tiphys::http
