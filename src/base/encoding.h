// Bytes as text: what Go's packages encoding/base64 and encoding/base32 make of them with their standard alphabets.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace tiphys {

std::string encode_base64(std::string_view bytes);
std::string encode_base32(std::string_view bytes);

/// Padding is needed, line breaks are skipped. The error is Go's: "illegal base64 data at input byte 3".
Result<std::string> decode_base64(std::string_view text);
Result<std::string> decode_base32(std::string_view text);

/// For URLs and JSON web tokens (RFC 4648 5), without padding.
std::string encode_base64url(std::string_view bytes);
/// Nothing but digits: neither padding nor line breaks.
Result<std::string> decode_base64url(std::string_view text);

std::string encode_hex(std::string_view bytes);

}  // namespace tiphys
