#include "server/session/spdy_headers.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "base/check.h"

namespace tiphys::server {
namespace {

// The dictionary of SPDY/3 (draft 3.1, section 2.6.10.1): words led by their lengths, then phrases.
constexpr std::string_view kWords[] = {"options",
                                       "head",
                                       "post",
                                       "put",
                                       "delete",
                                       "trace",
                                       "accept",
                                       "accept-charset",
                                       "accept-encoding",
                                       "accept-language",
                                       "accept-ranges",
                                       "age",
                                       "allow",
                                       "authorization",
                                       "cache-control",
                                       "connection",
                                       "content-base",
                                       "content-encoding",
                                       "content-language",
                                       "content-length",
                                       "content-location",
                                       "content-md5",
                                       "content-range",
                                       "content-type",
                                       "date",
                                       "etag",
                                       "expect",
                                       "expires",
                                       "from",
                                       "host",
                                       "if-match",
                                       "if-modified-since",
                                       "if-none-match",
                                       "if-range",
                                       "if-unmodified-since",
                                       "last-modified",
                                       "location",
                                       "max-forwards",
                                       "pragma",
                                       "proxy-authenticate",
                                       "proxy-authorization",
                                       "range",
                                       "referer",
                                       "retry-after",
                                       "server",
                                       "te",
                                       "trailer",
                                       "transfer-encoding",
                                       "upgrade",
                                       "user-agent",
                                       "vary",
                                       "via",
                                       "warning",
                                       "www-authenticate",
                                       "method",
                                       "get",
                                       "status",
                                       "200 OK",
                                       "version",
                                       "HTTP/1.1",
                                       "url",
                                       "public",
                                       "set-cookie",
                                       "keep-alive",
                                       "origin"};
constexpr std::string_view kPhrases =
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 No"
    "n-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403"
    " Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service UnavailableJan Fe"
    "b Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunke"
    "d,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/"
    "javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.";

void add_number(std::string& text, std::size_t number) {
  for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(number >> shift & 0xff);
}

void add_text(std::string& block, std::string_view text) {
  add_number(block, text.size());
  block += text;
}

const std::string& dictionary() {
  static const std::string text = [] {
    std::string made;
    for (const std::string_view word : kWords) add_text(made, word);
    return made += kPhrases;
  }();
  return text;
}

Bytef* bytes_of(std::string_view text) {
  // zlib only reads there.
  return reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
}

/// Takes texts that are led by their lengths from a block.
class Block {
 public:
  explicit Block(std::string_view left) : left_(left) {}
  bool empty() const { return left_.empty(); }
  std::optional<std::size_t> number() {
    if (left_.size() < 4) return std::nullopt;
    std::size_t number = 0;
    for (const char c : left_.substr(0, 4)) number = number << 8 | static_cast<std::uint8_t>(c);
    left_.remove_prefix(4);
    return number;
  }
  std::optional<std::string> text() {
    const auto size = number();
    if (!size || *size > left_.size()) return std::nullopt;
    std::string text(left_.substr(0, *size));
    left_.remove_prefix(*size);
    return text;
  }

 private:
  std::string_view left_;
};

Result<SpdyHeaders> parse(std::string_view text) {
  Block block(text);
  const auto count = block.number();
  SpdyHeaders headers;
  for (std::size_t i = 0; count && i < *count; ++i) {
    auto name = block.text();
    auto value = name ? block.text() : std::nullopt;
    if (!value) return fail(Code::kInvalidArgument, "a header block of SPDY ends too soon");
    headers.emplace_back(std::move(*name), std::move(*value));
  }
  if (!count || !block.empty()) return fail(Code::kInvalidArgument, "a header block of SPDY is malformed");
  return headers;
}

}  // namespace

std::string_view spdy_header(const SpdyHeaders& headers, std::string_view name) {
  const auto found = std::ranges::find(headers, name, &SpdyHeaders::value_type::first);
  return found == headers.end() ? std::string_view() : found->second;
}

struct SpdyHeaderReader::Inflater {
  Inflater() { TIPHYS_CHECK(::inflateInit(&stream) == Z_OK, "zlib has memory"); }
  ~Inflater() { ::inflateEnd(&stream); }
  z_stream stream{};
};

SpdyHeaderReader::SpdyHeaderReader() : inflater_(std::make_unique<Inflater>()) {}
SpdyHeaderReader::~SpdyHeaderReader() = default;

Result<SpdyHeaders> SpdyHeaderReader::read(std::string_view block) {
  z_stream& stream = inflater_->stream;
  std::string text(kMostBlockBytes, '\0');
  stream.next_in = bytes_of(block);
  stream.avail_in = static_cast<uInt>(block.size());
  stream.next_out = bytes_of(text);
  stream.avail_out = static_cast<uInt>(text.size());
  int result = ::inflate(&stream, Z_SYNC_FLUSH);
  if (result == Z_NEED_DICT) {
    const std::string& words = dictionary();
    result = ::inflateSetDictionary(&stream, bytes_of(words), static_cast<uInt>(words.size()));
    if (result == Z_OK) result = ::inflate(&stream, Z_SYNC_FLUSH);
  }
  if (stream.avail_out == 0) return fail(Code::kResourceExhausted, "a header block of SPDY is too large");
  if ((result != Z_OK && result != Z_BUF_ERROR) || stream.avail_in != 0) {
    return fail(Code::kInvalidArgument, "a header block of SPDY is not compressed as it should be");
  }
  text.resize(text.size() - stream.avail_out);
  return parse(text);
}

struct SpdyHeaderWriter::Deflater {
  Deflater() {
    TIPHYS_CHECK(::deflateInit(&stream, Z_BEST_SPEED) == Z_OK, "zlib has memory");
    const std::string& words = dictionary();
    ::deflateSetDictionary(&stream, bytes_of(words), static_cast<uInt>(words.size()));
  }
  ~Deflater() { ::deflateEnd(&stream); }
  z_stream stream{};
};

SpdyHeaderWriter::SpdyHeaderWriter() : deflater_(std::make_unique<Deflater>()) {}
SpdyHeaderWriter::~SpdyHeaderWriter() = default;

std::string SpdyHeaderWriter::write(const SpdyHeaders& headers) {
  std::string text;
  add_number(text, headers.size());
  for (const auto& [name, value] : headers) {
    add_text(text, name);
    add_text(text, value);
  }
  z_stream& stream = deflater_->stream;
  std::string block(::deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = bytes_of(text);
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = bytes_of(block);
  stream.avail_out = static_cast<uInt>(block.size());
  const int result = ::deflate(&stream, Z_SYNC_FLUSH);
  TIPHYS_CHECK(result == Z_OK && stream.avail_in == 0, "what deflateBound gives is enough");
  block.resize(block.size() - stream.avail_out);
  return block;
}

}  // namespace tiphys::server
