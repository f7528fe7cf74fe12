// http and data templates.
#include <fmt/format.h>

#include <algorithm>

#include "api/artifact_location.h"
#include "api/validator.h"
#include "base/encoding.h"
#include "base/strings.h"
#include "expr/expression.h"

namespace tiphys::api {
namespace {

/// Of a token, as RFC 9110 has it.
bool token_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

}  // namespace

void Validator::check_plain_expression(const std::string& text, std::span<const std::string_view> variables,
                                       const Spot& spot) {
  if (text.empty() || has_tag(text)) return;
  const auto compiled = expr::Expression::compile(text, expr::Functions::kExprLang);
  if (!compiled) return error(spot.pointer, fmt::format("{}: {}", spot.name, compiled.error().message));
  for (const std::string& name : compiled->references()) {
    if (std::ranges::find(variables, name.substr(0, name.find('.'))) != variables.end()) continue;
    const std::vector<std::string> known(variables.begin(), variables.end());
    error(spot.pointer, fmt::format("{}: {} is not known here: it may use {}", spot.name, name, join(known, " and ")));
  }
}

void Validator::check_http(const doc::Value& http, const Spot& spot) {
  const std::string_view url = doc::find_string(http, "url");
  if (url.empty()) {
    error(spot.pointer, spot.name + ".url is required", true);
  } else if (!url.starts_with("http://") && !url.starts_with("https://") && !url.starts_with("{{")) {
    error(spot.pointer + "/url",
          fmt::format("{}.url must begin with http:// or https://, not be \"{}\"", spot.name, url));
  }
  const std::string_view method = doc::find_string(http, "method");
  if (!has_tag(method) && !std::ranges::all_of(method, token_character)) {
    error(spot.pointer + "/method", fmt::format("{}.method: \"{}\" is no HTTP method", spot.name, method));
  }
  if (const doc::Value* timeout = doc::find(http, "timeoutSeconds");
      timeout && timeout->is_int64() && timeout->get_int64() <= 0) {
    error(spot.pointer + "/timeoutSeconds", spot.name + ".timeoutSeconds must be at least 1");
  }
  if (doc::find(http, "bodyFrom") && doc::find_string(http, "bodyFrom", "bytes").empty()) {
    error(spot.pointer + "/bodyFrom", spot.name + ".bodyFrom.bytes is required", true);
  }
  const std::string_view bytes = doc::find_string(http, "bodyFrom", "bytes");
  if (!has_tag(bytes) && !decode_base64(bytes)) {
    error(spot.pointer + "/bodyFrom/bytes", spot.name + ".bodyFrom.bytes must be base64");
  }
  if (doc::find(http, "body") && doc::find(http, "bodyFrom")) {
    lint_warn(spot.pointer + "/body", spot.name + ".body is not sent: bodyFrom is");
  }
  constexpr std::string_view kVariables[] = {"request", "response"};
  check_plain_expression(std::string(doc::find_string(http, "successCondition")), kVariables,
                         {spot.pointer + "/successCondition", spot.name + ".successCondition"});
}

void Validator::check_data(const doc::Value& data, const Spot& spot) {
  const Spot source{spot.pointer + "/source", spot.name + ".source"};
  if (!doc::find(data, "source", "artifactPaths")) {
    error(doc::find(data, "source") ? source.pointer : spot.pointer, source.name + ".artifactPaths is required", true);
  } else if (const doc::Value* from = doc::find(data, "source", "artifactPaths");
             !from->is_object() || location_kind(from->get_object()).empty()) {
    error(
        source.pointer + "/artifactPaths",
        source.name + ".artifactPaths needs a place: \"s3: {key: FOLDER}\" lists a folder of the workflow's repository",
        true);
  }
  const doc::Value* steps = doc::find(data, "transformation");
  if (!steps || steps->is_null()) {
    error(spot.pointer, spot.name + ".transformation is required: a list, [] leaves what the source gives", true);
  }
  if (!steps || !steps->is_array()) return;
  constexpr std::string_view kVariables[] = {"data"};
  for (std::size_t i = 0; i < steps->get_array().size(); ++i) {
    const Spot at{fmt::format("{}/transformation/{}/expression", spot.pointer, i),
                  fmt::format("{}.transformation[{}].expression", spot.name, i)};
    if (!doc::find(steps->get_array()[i], "expression")) {
      error(fmt::format("{}/transformation/{}", spot.pointer, i), at.name + " is required", true);
    }
    check_plain_expression(std::string(doc::find_string(steps->get_array()[i], "expression")), kVariables, at);
  }
}

}  // namespace tiphys::api
