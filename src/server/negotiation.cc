#include "server/negotiation.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/strings.h"
#include "doc/yaml.h"
#include "schema/protobuf.h"

namespace tiphys::server {
namespace {

constexpr std::string_view kMediaTypes = "application/json, application/yaml, application/vnd.kubernetes.protobuf";

/// One entry of an Accept header; nullopt when it asks for what cannot be given.
std::optional<Form> read_entry(std::string_view entry) {
  const auto parts = split(entry, ';');
  const std::string type = media_type(parts.front());
  Form form;
  form.yaml = type == "application/yaml" || type == "application/x-yaml" || type == "text/yaml";
  const bool json = type == "application/json" || type == "*/*" || type == "application/*";
  if (!form.yaml && !json) return std::nullopt;
  std::string_view as, group, version;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const std::string_view part = trim(parts[i]);
    if (part.starts_with("as=")) as = part.substr(3);
    if (part.starts_with("g=")) group = part.substr(2);
    if (part.starts_with("v=")) version = part.substr(2);
  }
  if (as.empty()) return form;
  if (as == "APIGroupDiscoveryList" && group == "apidiscovery.k8s.io" && version == "v2") {
    form.aggregated = true;
    return form;
  }
  if (group != "meta.k8s.io" || version != "v1") return std::nullopt;
  if (as == "Table") {
    form.as = Form::As::kTable;
  } else if (as == "PartialObjectMetadata" || as == "PartialObjectMetadataList") {
    form.as = Form::As::kPartial;
  } else {
    return std::nullopt;
  }
  return form;
}

objects::Outcome<doc::Value> read_yaml(std::string_view body) {
  auto documents = doc::parse_yaml(body, "body");
  if (!documents) return std::unexpected(objects::bad_request(documents.error().message));
  if (documents->size() != 1) return std::unexpected(objects::bad_request("the body must hold one document"));
  return std::move(documents->front().root);
}

}  // namespace

std::string media_type(std::string_view header) {
  std::string type(trim(header.substr(0, header.find(';'))));
  std::ranges::transform(type, type.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return type;
}

objects::Outcome<Form> accepted_form(std::string_view accept) {
  if (trim(accept).empty()) return Form{};
  for (const std::string_view entry : split(accept, ',')) {
    if (const auto form = read_entry(entry)) return *form;
  }
  return std::unexpected(
      objects::Refusal{406,
                       "NotAcceptable",
                       fmt::format("406: Not Acceptable\n\nAvailable representations: {}", kMediaTypes),
                       {},
                       true});
}

bool is_json(std::string_view content_type) {
  const std::string type = media_type(content_type);
  return type.empty() || type == "application/json" || type.ends_with("+json");
}

objects::Outcome<doc::Value> read_document(std::string_view content_type, std::string_view body) {
  const std::string type = media_type(content_type);
  if (type == "application/yaml" || type == "application/x-yaml" || type == "text/yaml" ||
      type == "application/apply-patch+yaml") {
    return read_yaml(body);
  }
  const bool protobuf = type == schema::kProtobufMediaType;
  const bool json = is_json(content_type);
  if (!protobuf && !json) {
    return std::unexpected(objects::Refusal{
        415, "UnsupportedMediaType",
        fmt::format("the body of the request was in an unknown format - accepted media types include: {}",
                    kMediaTypes)});
  }
  auto document = protobuf ? schema::decode_protobuf(body) : doc::parse_json(body);
  if (!document) return std::unexpected(objects::bad_request(document.error().message));
  return std::move(*document);
}

}  // namespace tiphys::server
