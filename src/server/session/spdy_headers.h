// Blocks of header fields in SPDY/3: names and values, compressed along with all blocks before them.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace tiphys::server {

/// Names are in lower case.
using SpdyHeaders = std::vector<std::pair<std::string, std::string>>;

/// "" when there is none of this name.
std::string_view spdy_header(const SpdyHeaders& headers, std::string_view name);

/// Of one connection, in the order in which the blocks come.
class SpdyHeaderReader {
 public:
  static constexpr std::size_t kMostBlockBytes = std::size_t{64} * 1024;  ///< decompressed
  SpdyHeaderReader();
  ~SpdyHeaderReader();
  Result<SpdyHeaders> read(std::string_view block);

 private:
  struct Inflater;
  std::unique_ptr<Inflater> inflater_;
};

class SpdyHeaderWriter {
 public:
  SpdyHeaderWriter();
  ~SpdyHeaderWriter();
  std::string write(const SpdyHeaders& headers);

 private:
  struct Deflater;
  std::unique_ptr<Deflater> deflater_;
};

}  // namespace tiphys::server
