// The frames of SPDY/3.1, as a server reads and writes them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "server/session/spdy_headers.h"

namespace tiphys::server {

struct SpdyFrame {
  /// Of a control frame the number in its header.
  enum class Type : std::uint16_t {
    kData = 0,
    kSynStream = 1,
    kSynReply = 2,
    kRstStream = 3,
    kSettings = 4,
    kPing = 6,
    kGoAway = 7,
    kHeaders = 8,
    kWindowUpdate = 9,
  };
  Type type = Type::kData;
  std::uint32_t stream = 0;  ///< what it is about; of a GOAWAY the last stream that was taken
  bool last = false;         ///< nothing more comes on the stream
  std::uint32_t number = 0;  ///< a status, a ping's id, a window's growth
  std::string data{};        ///< kData: the whole, or a piece of it
  SpdyHeaders headers{};     ///< kSynStream, kSynReply, kHeaders
};

/// Takes frames from the bytes of a client. Data is handed on as it comes. After an error nothing more is read.
class SpdyReader {
 public:
  static constexpr std::size_t kMostControlBytes = std::size_t{64} * 1024;

  void feed(std::string_view bytes);
  /// The next frame, or piece of one; nothing when more bytes are needed.
  Result<std::optional<SpdyFrame>> next();

 private:
  std::optional<SpdyFrame> next_piece();
  Result<std::optional<SpdyFrame>> read_control(std::uint16_t type, std::uint8_t flags, std::string_view body);

  std::string buffer_;
  std::size_t at_ = 0;  ///< what lies before it in the buffer is done
  SpdyFrame data_;      ///< the data frame that is being read
  std::size_t data_left_ = 0;
  bool in_data_ = false;
  SpdyHeaderReader headers_;
};

enum class SpdyReset : std::uint32_t { kProtocolError = 1, kInvalidStream = 2, kRefusedStream = 3, kCancel = 5 };

/// Makes frames; header blocks hang together, so all of a connection come from one writer, in order.
class SpdyWriter {
 public:
  /// `bytes` are fewer than 16 MiB.
  static std::string data(std::uint32_t stream, std::string_view bytes, bool last);
  static std::string reset(std::uint32_t stream, SpdyReset why);
  static std::string ping(std::uint32_t id);
  static std::string go_away(std::uint32_t last_stream);
  std::string syn_stream(std::uint32_t stream, const SpdyHeaders& headers, bool last);
  std::string syn_reply(std::uint32_t stream, const SpdyHeaders& headers);

 private:
  SpdyHeaderWriter headers_;
};

}  // namespace tiphys::server
