#include "kube/gzip.h"

#include <zlib.h>

#include <array>

#include "base/check.h"

namespace tiphys::kube {
namespace {

constexpr int kGzipWindow = 15 + 16;  // zlib's way to ask for gzip's form
constexpr std::size_t kMostBytes = 256 * 1024 * 1024;

void give(z_stream& stream, std::string_view bytes) {
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
}

}  // namespace

std::string gzip(std::string_view bytes) {
  z_stream stream{};
  const int begun = ::deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY);
  TIPHYS_CHECK(begun == Z_OK, "zlib packs with its own defaults");
  std::string packed(::deflateBound(&stream, bytes.size()), '\0');
  give(stream, bytes);
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  const int ended = ::deflate(&stream, Z_FINISH);
  TIPHYS_CHECK(ended == Z_STREAM_END, "deflateBound is room enough");
  packed.resize(stream.total_out);
  ::deflateEnd(&stream);
  return packed;
}

Result<std::string> gunzip(std::string_view packed) {
  z_stream stream{};
  if (::inflateInit2(&stream, kGzipWindow) != Z_OK) return fail(Code::kInternal, "zlib does not begin");
  give(stream, packed);
  std::string bytes;
  std::array<char, 64 * 1024> piece;
  int state = Z_OK;
  while (state == Z_OK && bytes.size() <= kMostBytes) {
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = static_cast<uInt>(piece.size());
    state = ::inflate(&stream, Z_NO_FLUSH);
    bytes.append(piece.data(), piece.size() - stream.avail_out);
  }
  ::inflateEnd(&stream);
  if (bytes.size() > kMostBytes) return fail(Code::kResourceExhausted, "too much comes of it");
  if (state != Z_STREAM_END) return fail(Code::kInvalidArgument, "it is no gzip");
  return bytes;
}

}  // namespace tiphys::kube
