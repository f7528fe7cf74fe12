// One request of an HTTP/2 connection and its answer.
#pragma once

#include <nghttp2/nghttp2.h>

#include "server/http2.h"

namespace tiphys::server {

inline std::string_view http2_text(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

/// The routes may keep it longer than the connection does.
class Http2::Stream final : public Responder {
 public:
  Stream(Http2& connection, std::int32_t id);

  void add_header(std::string_view name, std::string_view value);
  /// Lets its client in, or refuses it before its body is read.
  void end_headers();
  void add_body(std::string_view piece);
  /// Has the request answered.
  void end_body(const std::shared_ptr<Stream>& self);

  /// The connection has no such stream any more. Gives what fed it: that may be in the midst of telling us something.
  std::unique_ptr<cluster::Watch> leave();
  /// Its client has taken what there was: a source that was asked to pause may go on.
  void go_on();

  using Responder::begin_stream;
  using Responder::end_stream;
  using Responder::reply;
  void reply(AnswerHead head, std::string body) override;
  void begin_stream(AnswerHead head) override;
  void write(std::string chunk) override;
  void bound_lag() override { lag_bounded_ = true; }
  void end_stream(HeaderFields trailers) override;
  void upgrade(std::string head, std::unique_ptr<Speaker> speaker) override;
  void break_off() override;
  void hold(std::unique_ptr<cluster::Watch> source) override;

 private:
  void refuse(const objects::Refusal& refusal);
  void forget_body();
  void begin_answer(const AnswerHead& head, bool has_body);
  /// What goes into one frame.
  std::size_t take(std::uint8_t* into, std::size_t most);
  static ssize_t read_body(nghttp2_session* session, std::int32_t id, std::uint8_t* into, std::size_t most,
                           std::uint32_t* flags, nghttp2_data_source* source, void* user);
  void submit_trailers();
  void resume();
  void cut(std::uint32_t code);

  Http2* connection_;  ///< null: it is gone, or this stream of it
  const std::int32_t id_;
  Request request_;
  std::string origin_, authorization_, fetch_site_, grpc_timeout_, grpc_encoding_;
  std::size_t header_bytes_ = 0;
  std::string pending_;
  std::size_t taken_ = 0;
  HeaderFields trailers_;
  std::unique_ptr<cluster::Watch> source_;
  bool is_grpc_ = false;
  bool answered_ = false;  ///< its answer has begun
  bool ended_ = false;     ///< nothing will be added to its answer
  bool lag_bounded_ = false;
  bool paused_ = false;
};

}  // namespace tiphys::server
