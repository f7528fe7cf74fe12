// Blocks of PEM: "-----BEGIN CERTIFICATE-----" and base64.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tiphys::expr {

struct PemBlock {
  std::string type;   ///< "CERTIFICATE"
  std::string bytes;  ///< DER
};

std::string pem_text(const PemBlock& block);
/// The first block of a text.
std::optional<PemBlock> first_pem_block(std::string_view text);

}  // namespace tiphys::expr
