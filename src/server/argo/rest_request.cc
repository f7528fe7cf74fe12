#include "server/argo/rest_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <span>

#include "base/strings.h"
#include "base/time.h"
#include "schema/check.h"
#include "schema/rules.h"

namespace tiphys::server {
namespace {

using schema::Type;
using Form = Type::Form;

std::unexpected<Error> syntax(std::string_view function, std::string_view text) {
  return fail(Code::kInvalidArgument, fmt::format("strconv.{}: parsing \"{}\": invalid syntax", function, text));
}

/// As Go's strconv.ParseBool: Python says "True".
Result<doc::Value> bool_of(std::string_view text) {
  for (const std::string_view yes : {"1", "t", "T", "TRUE", "true", "True"}) {
    if (text == yes) return doc::Value(true);
  }
  for (const std::string_view no : {"0", "f", "F", "FALSE", "false", "False"}) {
    if (text == no) return doc::Value(false);
  }
  return syntax("ParseBool", text);
}

Result<doc::Value> integer_of(std::string_view text) {
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || at != end) return syntax("ParseInt", text);
  return doc::Value(number);
}

Result<doc::Value> choice_of(const Type& type, std::string_view text) {
  const auto& choices = type.rules->choices;
  if (const auto found = std::ranges::find(choices, doc::Value(text)); found != choices.end()) return *found;
  if (const auto number = integer_of(text); number && number->get_int64() >= 0) {
    const auto at = static_cast<std::uint64_t>(number->get_int64());
    if (at < choices.size()) return choices[at];
  }
  return fail(Code::kInvalidArgument,
              fmt::format("{} is none of {}", text, doc::to_json(doc::Array(choices.begin(), choices.end()))));
}

Result<doc::Value> scalar_of(const Type& type, std::string_view text) {
  switch (type.form) {
    case Form::kBoolean:
      return bool_of(text);
    case Form::kInteger:
      return integer_of(text);
    case Form::kString:
      return type.format == "enum" ? choice_of(type, text) : doc::Value(text);
    default:
      return fail(Code::kInvalidArgument, "a field of this type is not supported in query parameters");
  }
}

/// All values that the query has for one name.
struct Parameter {
  std::string_view name;
  std::vector<std::string_view> values;
};

std::vector<Parameter> parameters_of(const Target& query) {
  std::vector<Parameter> found;
  for (const auto& [name, value] : query.query) {
    auto known = std::ranges::find(found, std::string_view(name), &Parameter::name);
    if (known == found.end()) known = found.insert(found.end(), {name, {}});
    known->values.push_back(value);
  }
  return found;
}

/// `path`: the names of a field and of those around it, outermost first.
Status put(const Type& type, std::span<const std::string_view> path, const std::vector<std::string_view>& values,
           doc::Object& into) {
  const schema::Field* field = type.find(path.front());
  if (!field || field->number.empty()) return {};
  const Type& below = *field->type;
  // The original's documents of its API say so, though it ignores them.
  if (below.wire == Type::Wire::kTime && path.size() == 2) {
    if (path[1] != "seconds") return {};
    TIPHYS_TRY(const doc::Value seconds, integer_of(values.front()));
    into[field->name] = format_rfc3339(Time(std::chrono::seconds(seconds.get_int64())));
    return {};
  }
  if (path.size() > 1) {
    if (below.form != Form::kObject || below.wire != Type::Wire::kMembers) {
      return fail(Code::kInvalidArgument, fmt::format("unexpected nested field {} in {}", path[1], path.front()));
    }
    return put(below, path.subspan(1), values, doc::ensure_object(into, field->name));
  }
  if (below.form == Form::kList) {
    doc::Array list;
    for (const std::string_view value : values) {
      TIPHYS_TRY(doc::Value one, scalar_of(*below.element, value));
      list.push_back(std::move(one));
    }
    into[field->name] = std::move(list);
    return {};
  }
  TIPHYS_TRY(into[field->name], scalar_of(below, values.front()));
  return {};
}

Status bind_query(const RestRoute& found, const Target& query, doc::Object& request) {
  for (const Parameter& parameter : parameters_of(query)) {
    const auto path = split(parameter.name, '.');
    const bool of_path =
        std::ranges::any_of(found.captured, [&](const auto& one) { return one.first == path.front(); });
    if (of_path || path.front() == found.route->body) continue;
    if (auto put_in = put(*found.method->request, path, parameter.values, request); !put_in) {
      return std::unexpected(put_in.error().in(parameter.name));
    }
  }
  return {};
}

Result<doc::Object> bind_body(const RestRoute& found, std::string_view body) {
  const std::string& place = found.route->body;
  if (place.empty() || body.find_first_not_of(" \t\r\n") == std::string_view::npos) return doc::Object();
  auto parsed = doc::parse_json(body);
  if (!parsed) return std::unexpected(parsed.error().in("the body"));
  if (place != "*") return doc::Object{{place, std::move(*parsed)}};
  if (parsed->is_null()) return doc::Object();
  if (!parsed->is_object()) {
    return fail(Code::kInvalidArgument, "the body must be a JSON object, not " + doc::to_json(*parsed).substr(0, 100));
  }
  return std::move(parsed->get_object());
}

/// Numbers that came as text, and choices, which may come as numbers.
Status read_leniently(const Type& type, doc::Value& value) {
  if (type.form == Form::kInteger && value.is_string()) {
    if (auto number = integer_of(value.get_string())) value = std::move(*number);
  } else if (type.format == "enum") {
    TIPHYS_TRY(value, choice_of(type, doc::scalar_text(value)));
  }
  auto* object = value.if_object();
  if (!object || !type.kind.empty() || type.wire != Type::Wire::kMembers) return {};
  for (auto& [name, child] : *object) {
    const schema::Field* field = type.find(name);
    if (!field) continue;
    if (auto read = read_leniently(*field->type, child); !read) return std::unexpected(read.error().in(name));
  }
  return {};
}

/// What is in a kind is judged by who knows the kind.
Status check_kind(const schema::Field& field, doc::Value& value) {
  if (!value.is_object()) {
    return fail(Code::kInvalidArgument,
                fmt::format("{}: must be an object, not {}", field.name, doc::to_json(value).substr(0, 100)));
  }
  doc::Object& object = value.get_object();
  if (doc::find_string(value, "apiVersion").empty()) object["apiVersion"] = field.type->api_version;
  if (doc::find_string(value, "kind").empty()) object["kind"] = field.type->kind;
  return {};
}

Status settle(const Type& type, doc::Object& request) {
  doc::Value value = std::move(request);
  schema::drop_nulls(type, value);
  TIPHYS_CHECK_OK(read_leniently(type, value));
  doc::Object rest;
  for (auto& [name, child] : value.get_object()) {
    const schema::Field* field = type.find(name);
    if (field && !field->type->kind.empty()) {
      TIPHYS_CHECK_OK(check_kind(*field, child));
    } else if (field) {
      rest[name] = child;
    }
  }
  if (auto why = schema::misfit(type, rest)) return fail(Code::kInvalidArgument, std::move(*why));
  request = std::move(value.get_object());
  return {};
}

}  // namespace

Result<doc::Object> bind_request(const RestRoute& found, const Target& query, std::string_view body) {
  TIPHYS_TRY(doc::Object request, bind_body(found, body));
  if (found.route->body != "*") TIPHYS_CHECK_OK(bind_query(found, query, request));
  for (const auto& [field, value] : found.captured) request[field] = value;
  TIPHYS_CHECK_OK(settle(*found.method->request, request));
  return request;
}

}  // namespace tiphys::server
