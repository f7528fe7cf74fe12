#include "artifact/plugin_service.h"

#include <fmt/format.h>

#include "base/protobuf_wire.h"
#include "doc/truth.h"
#include "web/exchange.h"
#include "web/grpc.h"

namespace tiphys::artifact {
namespace {

constexpr std::size_t kMostAnswerBytes = 64 * 1024 * 1024;

std::uint64_t number_of(const doc::Value& object, std::string_view field) {
  const doc::Value* value = doc::find(object, field);
  return value && value->is_int64() ? static_cast<std::uint64_t>(value->get_int64()) : 0;
}

std::string text_field(std::uint32_t number, std::string_view text) {
  std::string message;
  WireWriter(message).bytes(number, text);
  return message;
}

/// The message PluginArtifact.
std::string encode_plugin(const doc::Value& place, std::chrono::seconds timeout) {
  std::string message;
  WireWriter to(message);
  to.bytes(1, doc::find_string(place, "name"));
  to.bytes(2, doc::find_string(place, "configuration"));
  to.varint(3, static_cast<std::uint64_t>(timeout.count()));
  to.bytes(4, doc::find_string(place, "key"));
  return message;
}

/// The message Artifact.
std::string encode(const doc::Value& place, const doc::Value* artifact, std::chrono::seconds timeout) {
  std::string message;
  WireWriter to(message);
  to.bytes(5, encode_plugin(place, timeout));
  if (!artifact) return message;
  to.bytes(1, doc::find_string(*artifact, "name"));
  to.bytes(2, doc::find_string(*artifact, "path"));
  to.varint(3, number_of(*artifact, "mode"));
  to.varint(6, doc::is_true(*artifact, "optional") ? 1 : 0);
  to.bytes(7, doc::find_string(*artifact, "subPath"));
  to.varint(8, doc::is_true(*artifact, "recurseMode") ? 1 : 0);
  return message;
}

}  // namespace

PluginService::PluginService(const PluginServer& server, const doc::Value& place, const doc::Value* artifact,
                             std::stop_token stop)
    : socket_(server.socket),
      name_(doc::find_string(place, "name")),
      artifact_(encode(place, artifact, server.connection_timeout)),
      stop_(std::move(stop)) {}

Status PluginService::load(std::string_view path) {
  return succeed("Load", "load", text_field(1, artifact_) + text_field(2, path));
}

Status PluginService::save(std::string_view path) {
  return succeed("Save", "save", text_field(1, path) + text_field(2, artifact_));
}

Status PluginService::remove() {
  return succeed("Delete", "delete", text_field(1, artifact_));
}

Result<std::vector<std::string>> PluginService::list() {
  constexpr std::string_view kWhat = "list objects";
  const auto answer = call("ListObjects", text_field(1, artifact_));
  if (!answer) return failed(kWhat, answer.error());
  std::vector<std::string> objects;
  WireReader reader(*answer);
  while (true) {
    const auto field = reader.next();
    if (!field) return failed(kWhat, field.error());
    if (!*field) return objects;
    if ((*field)->number == 1) objects.emplace_back((*field)->bytes);
    if ((*field)->number == 2) return failed(kWhat, {Code::kUnknown, std::string((*field)->bytes)});
  }
}

std::unexpected<Error> PluginService::failed(std::string_view what, const Error& error) const {
  return std::unexpected(error.in(fmt::format("plugin {} {} failed", name_, what)));
}

/// A call whose answer is {1: success, 2: error}.
Status PluginService::succeed(std::string_view method, std::string_view what, std::string_view message) {
  const auto answer = call(method, message);
  if (!answer) return failed(what, answer.error());
  bool success = false;
  std::string reason;
  WireReader reader(*answer);
  while (true) {
    const auto field = reader.next();
    if (!field) return failed(what, field.error());
    if (!*field) break;
    if ((*field)->number == 1) success = (*field)->value != 0;
    if ((*field)->number == 2) reason = (*field)->bytes;
  }
  if (success) return {};
  return failed(what, {Code::kUnknown, reason.empty() ? "it does not say why" : reason});
}

Result<std::string> PluginService::call(std::string_view method, std::string_view message) {
  web::HttpRequest request =
      web::grpc_request("localhost", fmt::format("artifact.ArtifactService/{}", method), message);
  std::string body;
  request.sink = [&body](std::string_view bytes) {
    body += bytes;
    return body.size() <= kMostAnswerBytes;
  };
  TIPHYS_TRY(const web::HttpAnswer answer, web::exchange_at(socket_, std::move(request), stop_));
  return web::grpc_message(answer, body);
}

}  // namespace tiphys::artifact
