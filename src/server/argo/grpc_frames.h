// gRPC's framing of messages (grpc/doc/PROTOCOL-HTTP2.md), without streams or sockets.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time.h"

namespace tiphys::server {

/// What a message may be, as in the original; those of requests have the bound of bodies.
inline constexpr std::size_t kMostGrpcMessageBytes = std::size_t{100} << 20;
/// The encodings that requests may have.
inline constexpr std::string_view kGrpcEncodings = "identity,gzip";

/// A message behind its flag and length.
std::string grpc_frame(std::string_view message);
/// The one message of a request's body; `encoding` is that of grpc-encoding, `most` bounds it. kInternal, as gRPC has
/// it: a frame that is cut short, none or several, a flag without an encoding; kUnimplemented: an encoding that is none
/// of kGrpcEncodings; kResourceExhausted: too large.
Result<std::string> read_grpc_message(std::string_view body, std::string_view encoding, std::size_t most);

/// The messages of a stream, as the bytes of their frames come.
class GrpcMessages {
 public:
  /// As read_grpc_message has them, of each message.
  GrpcMessages(std::string encoding, std::size_t most) : encoding_(std::move(encoding)), most_(most) {}

  void add(std::string_view bytes);
  /// The next one; nothing when it is not whole yet. Its errors are those of read_grpc_message; nothing follows them.
  Result<std::optional<std::string>> next();
  /// What has come ends with a message.
  bool whole() const { return at_ == bytes_.size(); }

 private:
  std::string encoding_;
  std::size_t most_;
  std::string bytes_;
  std::size_t at_ = 0;  ///< what has been taken
};

/// Of grpc-timeout: "100m". kInternal when it is something else.
Result<Duration> parse_grpc_timeout(std::string_view text);
/// For grpc-message: what is not printable ASCII, and "%", as %XX.
std::string encode_grpc_text(std::string_view text);

}  // namespace tiphys::server
