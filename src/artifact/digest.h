// Hashes and keyed hashes that requests are signed with.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "web/http_client.h"

namespace tiphys::artifact {

std::string sha256(std::string_view bytes);
std::string md5(std::string_view bytes);
std::string hmac_sha256(std::string_view key, std::string_view bytes);
std::string hmac_sha1(std::string_view key, std::string_view bytes);
/// RSA's signature of the SHA-256 of the bytes, by a private key that is PEM.
Result<std::string> rsa_sha256(std::string_view pem, std::string_view bytes);
/// Of a part of a file, read piece by piece.
Result<std::string> sha256_of(const web::FilePart& part);

}  // namespace tiphys::artifact
