#include "server/responder.h"

#include <fmt/format.h>

namespace tiphys::server {

void Responder::reply(unsigned code, std::string_view content_type, std::string body) {
  reply(AnswerHead{.code = code, .content_type = std::string(content_type)}, std::move(body));
}

void Responder::begin_stream(std::string_view content_type) {
  begin_stream(AnswerHead{.content_type = std::string(content_type)});
}

std::string warning_header(std::string_view text) {
  std::string quoted;
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return fmt::format("299 - \"{}\"", quoted);
}

}  // namespace tiphys::server
