// One HTTP/2 connection to a server, and one request on it. Only for http2_client.cc.
#pragma once

#include <array>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <optional>

#include "http/connection.h"
#include "http/http2_client.h"

struct nghttp2_session;

namespace tiphys::http {

class Http2Connection;

/// One request and its answer. What has come of the answer is kept until deliver(), so that whoever hears of it may do
/// as he likes: the library is not at work then.
class Http2Stream : public std::enable_shared_from_this<Http2Stream> {
 public:
  Http2Stream(std::shared_ptr<Http2Pool> pool, Request request, Http2Sink sink);

  void start();
  /// Nobody listens any more.
  void abandon();

  // Of the connection, whose thread is in the library meanwhile.
  void add_field(std::string_view name, std::string_view value);
  void end_fields();
  void add_body(std::string_view part) { body_ += part; }
  void end_answer() { ended_ = true; }
  void close(std::uint32_t error);
  /// What goes into one frame of the request's body; `last` when nothing follows.
  std::size_t take(std::uint8_t* into, std::size_t most, bool& last);

  /// Tells what has come.
  void deliver();
  /// The connection is gone.
  void lose(const Error& error);

  bool has_body() const { return !request_.body.empty(); }

 private:
  Result<Fields> head() const;
  void watch();
  void expire();
  void finish();
  void end(Result<Fields> trailers);

  std::shared_ptr<Http2Pool> pool_;              ///< null: it is over
  std::shared_ptr<Http2Connection> connection_;  ///< null: it is over
  const Request request_;
  Http2Sink sink_;
  std::optional<boost::asio::steady_timer> timer_;
  std::int32_t id_ = 0;
  std::size_t sent_ = 0;  ///< of the request's body
  unsigned code_ = 0;
  Fields fields_, trailers_;
  std::string body_;                     ///< what is not told yet
  std::optional<std::uint32_t> closed_;  ///< the stream's error code
  bool has_head_ = false, told_head_ = false;
  bool ended_ = false;    ///< the answer is whole
  bool heard_ = false;    ///< since the timer runs
  bool retried_ = false;  ///< the server had not begun with it, and was asked again
  bool done_ = false;
};

class Http2Connection : public std::enable_shared_from_this<Http2Connection> {
 public:
  Http2Connection(boost::asio::io_context& context, const Endpoint& endpoint, std::chrono::seconds connect_timeout);
  ~Http2Connection();
  Http2Connection(const Http2Connection&) = delete;

  void open();
  /// No more is said or heard.
  void close();
  /// Another request may be begun.
  bool usable() const;
  /// Its number. It is sent when the connection is there and the server has room for it.
  std::int32_t begin(const std::shared_ptr<Http2Stream>& stream, const Fields& head);
  /// Its answer is not wanted any more.
  void cancel(std::int32_t id);

 private:
  friend struct Http2Events;
  using error_code = boost::system::error_code;

  void opened(const Status& status);
  void read();
  void receive(std::string_view bytes);
  void deliver();
  void pump();
  void lose(const Error& error);
  /// The same, but not from inside.
  void post_loss(std::string_view why);
  Error lost(std::string_view why) const;
  Error unanswered() const;

  const std::shared_ptr<Connection> connection_;
  const std::chrono::seconds connect_timeout_;
  nghttp2_session* session_ = nullptr;
  std::map<std::int32_t, std::shared_ptr<Http2Stream>> streams_;
  std::vector<std::shared_ptr<Http2Stream>> touched_;  ///< who has something to tell
  std::string outgoing_;
  std::array<char, 64 * 1024> incoming_;
  bool ready_ = false;    ///< it is connected
  bool greeted_ = false;  ///< the server has begun as HTTP/2 does
  bool writing_ = false;
  bool going_away_ = false;  ///< the server begins nothing more
  bool closed_ = false;
};

}  // namespace tiphys::http
