// Where the answer to one request goes, whatever protocol it came by.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cluster/cluster.h"
#include "server/session/wire.h"

namespace tiphys::server {

using HeaderFields = std::vector<std::pair<std::string, std::string>>;

/// How an answer begins.
struct AnswerHead {
  unsigned code = 200;
  std::string content_type{};
  HeaderFields fields{};  ///< beside its type
};

/// One whole reply, or a stream. Calls come on the plane's thread; after the peer has gone they do nothing.
class Responder {
 public:
  virtual ~Responder() = default;
  virtual void reply(AnswerHead head, std::string body) = 0;
  void reply(unsigned code, std::string_view content_type, std::string body);

  virtual void begin_stream(AnswerHead head) = 0;
  void begin_stream(std::string_view content_type);
  virtual void write(std::string chunk) = 0;
  /// From now on a reader may lag by no more than a bound before it is cut: what came before was there to be read all
  /// at once and is no lag.
  virtual void bound_lag() = 0;
  /// What follows the body goes where the protocol has such: HTTP/2.
  virtual void end_stream(HeaderFields trailers) = 0;
  void end_stream() { end_stream(HeaderFields()); }
  /// Ends a stream so that the peer sees that it is not whole.
  virtual void break_off() = 0;
  /// Sends `head`, an answer 101, and hands the connection over.
  virtual void upgrade(std::string head, std::unique_ptr<Speaker> speaker) = 0;
  /// Keeps what feeds the stream for as long as the peer reads it.
  virtual void hold(std::unique_ptr<cluster::Watch> source) = 0;
};

/// The value of a header "Warning": RFC 7234 5.5, code 299 of an agent without a name.
std::string warning_header(std::string_view text);

}  // namespace tiphys::server
