// sprig's functions of URLs and hosts.
#include "expr/arguments.h"
#include "expr/go_text.h"
#include "expr/go_url.h"
#include "expr/sprig_cast.h"

namespace tiphys::expr {
namespace {

using Value = Result<doc::Value>;

Value url_parse(Arguments arguments) {
  TIPHYS_TRY(const auto text, text_or_empty(arguments, 0));
  const auto url = parse_url(text);
  if (!url) return std::unexpected(url.error().in("unable to parse url"));
  doc::Object parts;
  parts["scheme"] = url->scheme;
  parts["host"] = url->host;
  parts["hostname"] = url->host_name();
  parts["path"] = url->path;
  parts["query"] = url->query;
  parts["opaque"] = url->opaque;
  parts["fragment"] = url->fragment;
  parts["userinfo"] = url->user.value_or("");
  return doc::Value(std::move(parts));
}

Result<std::string> member(const doc::Object& parts, std::string_view key) {
  const doc::Value* value = parts.if_contains(key);
  if (!value) return "";
  if (value->is_string()) return std::string(value->get_string());
  return bad_argument("unable to parse " + std::string(key) + " key, must be of type string, but " +
                      std::string(go_kind_word(*value)) + " found");
}

Value url_join(Arguments arguments) {
  TIPHYS_TRY(const auto* parts, map_or_empty(arguments, 0));
  Url url;
  TIPHYS_TRY(url.scheme, member(*parts, "scheme"));
  TIPHYS_TRY(url.host, member(*parts, "host"));
  TIPHYS_TRY(url.path, member(*parts, "path"));
  TIPHYS_TRY(url.query, member(*parts, "query"));
  TIPHYS_TRY(url.opaque, member(*parts, "opaque"));
  TIPHYS_TRY(url.fragment, member(*parts, "fragment"));
  TIPHYS_TRY(const std::string user, member(*parts, "userinfo"));
  if (!user.empty()) {
    auto parsed = parse_url("proto://" + user + "@host");
    if (!parsed) return std::unexpected(parsed.error().in("unable to parse userinfo in dict"));
    url.user = std::move(parsed->user);
  }
  return doc::Value(url.text());
}

/// Expressions do no I/O: what they give must not hang on the machine that evaluates them.
Value get_host_by_name(Arguments arguments) {
  TIPHYS_TRY(const auto name, text_or_empty(arguments, 0));
  return fail(Code::kUnimplemented, "expressions do not look up hosts: give the address of \"" + std::string(name) +
                                        "\" as a parameter, or look it up in a step");
}

constexpr Function kFunctions[] = {
    {"urlParse", 1, 1, url_parse},
    {"urlJoin", 1, 1, url_join},
    {"getHostByName", 1, 1, get_host_by_name},
};

}  // namespace

std::span<const Function> sprig_url_functions() {
  return kFunctions;
}

}  // namespace tiphys::expr
