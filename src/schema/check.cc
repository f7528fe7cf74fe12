#include "schema/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/quantity.h"
#include "base/time.h"
#include "doc/utf8.h"
#include "schema/formats.h"
#include "schema/rules.h"

namespace tiphys::schema {
namespace {

using Form = Type::Form;

constexpr std::string_view kQuantity = "io.k8s.apimachinery.pkg.api.resource.Quantity";

std::string_view name_of(const doc::Value& value) {
  switch (value.kind()) {
    case boost::json::kind::null:
      return "null";
    case boost::json::kind::bool_:
      return "boolean";
    case boost::json::kind::int64:
      return "integer";
    case boost::json::kind::uint64:  // more than 64 bits with a sign hold
    case boost::json::kind::double_:
      return "number";
    case boost::json::kind::string:
      return "string";
    case boost::json::kind::array:
      return "array";
    case boost::json::kind::object:
      return "object";
  }
  return "value";
}

std::string_view name_of(Form form) {
  switch (form) {
    case Form::kAny:
      return "any";
    case Form::kString:
      return "string";
    case Form::kInteger:
      return "integer";
    case Form::kNumber:
      return "number";
    case Form::kBoolean:
      return "boolean";
    case Form::kIntOrString:
      return "integer,string";
    case Form::kObject:
    case Form::kMap:
      return "object";
    case Form::kList:
      return "array";
  }
  return "any";
}

bool is_whole(const doc::Value& value) {
  if (value.is_int64()) return true;
  const double* number = value.if_double();
  return number && std::isfinite(*number) && std::floor(*number) == *number;
}

bool fits(Form form, const doc::Value& value) {
  switch (form) {
    case Form::kAny:
      return true;
    case Form::kString:
      return value.is_string();
    case Form::kInteger:
      return is_whole(value);
    case Form::kNumber:
      return value.is_number();
    case Form::kBoolean:
      return value.is_bool();
    case Form::kIntOrString:
      return value.is_string() || value.is_number();
    case Form::kObject:
    case Form::kMap:
      return value.is_object();
    case Form::kList:
      return value.is_array();
  }
  return true;
}

bool is_envelope(std::string_view name) {
  return name == "apiVersion" || name == "kind" || name == "metadata";
}

/// Calls `visit(type, child, path)` for each value below `value` whose type is known; false stops.
template <typename Value, typename Visit>
bool visit_children(const Type& type, Value& value, const Path& at, Visit&& visit) {
  if (auto* object = value.if_object()) {
    for (auto& [name, child] : *object) {
      const Field* field = type.find(name);
      const Type* below = field ? field->type : type.element;
      if (!below || type.form == Form::kList) continue;
      if (!visit(*below, child, at.field(name))) return false;
    }
  } else if (auto* list = value.if_array(); list && type.form == Form::kList && type.element) {
    std::size_t i = 0;
    for (auto& child : *list) {
      if (!visit(*type.element, child, at.index(i++))) return false;
    }
  }
  return true;
}

bool knows(const Type& type, std::string_view name) {
  if (type.keeps_unknown || type.element || type.form == Form::kAny) return true;
  if (type.embedded_resource && is_envelope(name)) return true;
  return type.find(name) != nullptr;
}

void find_unknown(const Type& type, const doc::Value& value, const Path& at, std::vector<std::string>& found) {
  if (const doc::Object* object = value.if_object()) {
    for (const auto& [name, child] : *object) {
      const Field* field = type.find(name);
      const Type* below = field ? field->type : type.element;
      if (!knows(type, name)) {
        found.push_back(at.field(name).text());
      } else if (below && type.form != Form::kList) {
        find_unknown(*below, child, at.field(name), found);
      }
    }
    return;
  }
  visit_children(type, value, at, [&](const Type& below, const doc::Value& child, const Path& path) {
    find_unknown(below, child, path, found);
    return true;
  });
}

/// An amount such as 1.5Gi: a number and a unit, as Kubernetes' parser splits it.
bool is_quantity(std::string_view text) {
  const auto skip = [&](std::string_view set) {
    const auto end = text.find_first_not_of(set);
    const std::size_t size = end == text.npos ? text.size() : end;
    text.remove_prefix(size);
    return size;
  };
  constexpr std::string_view kDigits = "0123456789";
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  if (skip("0123456789.") == 0) return false;
  skip("eEinumkKMGTP");
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  skip(kDigits);
  return text.empty();
}

/// What Go cannot read though its form is right.
std::optional<std::string> unreadable(const Type& type, const doc::Value& value) {
  if (value.is_string() && type.name == kQuantity && !is_quantity(value.get_string().c_str())) {
    return "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$', which " +
           doc::to_json(value) + " does not";
  }
  if (type.format == "int32" && value.is_number()) {
    const auto number = value.to_number<double>();
    if (number < INT32_MIN || number > INT32_MAX) return "must be a 32-bit integer, not " + doc::to_json(value);
  }
  if (!value.is_string()) return std::nullopt;
  const std::string_view text = value.get_string();
  if (type.format == "date-time" && !parse_rfc3339(text)) {
    return "must be a time like 2006-01-02T15:04:05Z, not " + doc::to_json(value);
  }
  if (type.format != "byte") return std::nullopt;
  const bool base64 = text.size() % 4 == 0 && std::ranges::all_of(text, [](char c) {
                        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
                               c == '/' || c == '=';
                      });
  if (base64) return std::nullopt;
  return "must be base64, not " + doc::to_json(value);
}

bool find_misfit(const Type& type, const doc::Value& value, const Path& at, std::optional<std::string>& found) {
  if (value.is_null()) return true;
  if (!fits(type.form, value)) {
    const std::string_view wanted = name_of(type.form);
    const bool vowel = wanted.find_first_of("aeio") == 0;
    found = fmt::format("{}: must be {} {}, not {}", at.text(), vowel ? "an" : "a", wanted, doc::to_json(value));
    return false;
  }
  if (auto why = unreadable(type, value)) {
    found = fmt::format("{}: {}", at.text(), *why);
    return false;
  }
  return visit_children(type, value, at, [&](const Type& below, const doc::Value& child, const Path& path) {
    return find_misfit(below, child, path, found);
  });
}

bool find_embedded_misfit(const Type& type, const doc::Value& value, const Path& at,
                          std::optional<std::string>& found) {
  const Field* field = type.embedded_resource ? type.find("metadata") : nullptr;
  const doc::Value* metadata = field ? doc::find(value, "metadata") : nullptr;
  if (metadata && !find_misfit(*field->type, *metadata, at.field("metadata"), found)) return false;
  return visit_children(type, value, at, [&](const Type& below, const doc::Value& child, const Path& path) {
    return find_embedded_misfit(below, child, path, found);
  });
}

/// Whether a number is one of the choices, however either is written.
bool is_choice(const std::vector<doc::Value>& choices, const doc::Value& value) {
  return std::ranges::any_of(choices, [&](const doc::Value& choice) {
    if (choice.is_number() && value.is_number()) return choice.to_number<double>() == value.to_number<double>();
    return choice == value;
  });
}

/// Gathers what a schema has against a value.
class Checker {
 public:
  explicit Checker(FieldErrors& errors) : errors_(errors) {}

  void walk(const Type& type, const doc::Value& value, const Path& at) {
    if (value.is_null() && (type.nullable || type.form == Form::kAny)) return;
    const bool fraction = type.form == Form::kIntOrString && value.is_number() && !is_whole(value);
    if (!fits(type.form, value) || fraction) {
      return add(FieldError::Kind::kTypeInvalid, at,
                 fmt::format("Invalid value: \"{}\": {} in body must be of type {}: \"{}\"", name_of(value), at.text(),
                             name_of(type.form), name_of(value)));
    }
    check_format(type, value, at);
    if (const doc::Object* object = value.if_object()) {
      for (const std::string& name : type.required) {
        if (!object->contains(name)) errors_.push_back(required(at.field(name).text()));
      }
      if (type.embedded_resource) check_api_version(value, at);
    }
    if (!type.keys.empty()) check_keys(type, value, at);
    if (type.set) check_unlike(value, at);
    if (type.rules) ask(*type.rules, value, at);
    visit_children(type, value, at, [&](const Type& below, const doc::Value& child, const Path& path) {
      walk(below, child, path);
      return true;
    });
  }

 private:
  void add(FieldError::Kind kind, const Path& at, std::string message) {
    errors_.push_back({kind, at.text(), std::move(message)});
  }
  void refuse(const Path& at, const doc::Value& value, std::string_view why) {
    errors_.push_back(invalid(at.text(), value, fmt::format("{} in body {}", at.text(), why)));
  }

  void check_format(const Type& type, const doc::Value& value, const Path& at) {
    if (type.format.empty() || !value.is_string() || has_format(value.get_string(), type.format)) return;
    const std::string text = doc::to_json(value);
    add(FieldError::Kind::kTypeInvalid, at,
        fmt::format("Invalid value: {0}: {1} in body must be of type {2}: {0}", text, at.text(), type.format));
  }

  void check_api_version(const doc::Value& object, const Path& at) {
    const auto version = doc::find_string(object, "apiVersion");
    if (std::ranges::count(version, '/') <= 1) return;
    errors_.push_back(invalid(at.field("apiVersion").text(), doc::Value(version),
                              fmt::format("unexpected GroupVersion string: {}", version)));
  }

  void check_keys(const Type& type, const doc::Value& list, const Path& at) {
    std::vector<doc::Object> seen;
    std::size_t i = 0;
    for (const doc::Value& element : list.get_array()) {
      const Path here = at.index(i++);
      if (!element.is_object()) continue;
      doc::Object key;
      for (const std::string& name : type.keys) {
        const doc::Value* part = element.get_object().if_contains(name);
        const Field* field = type.element ? type.element->find(name) : nullptr;
        if (part) {
          key[name] = *part;
        } else if (field && field->otherwise) {
          key[name] = *field->otherwise;
        }
      }
      if (std::ranges::find(seen, key) != seen.end()) {
        errors_.push_back(duplicate(here.text(), key));
      } else {
        seen.push_back(std::move(key));
      }
    }
  }

  void check_unlike(const doc::Value& list, const Path& at) {
    const doc::Array& elements = list.get_array();
    for (std::size_t i = 0; i < elements.size(); ++i) {
      const auto before = elements.begin() + static_cast<std::ptrdiff_t>(i);
      if (std::find(elements.begin(), before, elements[i]) != before) {
        errors_.push_back(duplicate(at.index(i).text(), elements[i]));
      }
    }
  }

  void ask(const Rules& rules, const doc::Value& value, const Path& at) {
    if (!rules.choices.empty() && !is_choice(rules.choices, value)) {
      std::vector<std::string> choices;
      for (const doc::Value& choice : rules.choices) choices.push_back(doc::scalar_text(choice));
      errors_.push_back(not_supported(at.text(), value, choices));
    }
    if (value.is_string()) ask_text(rules, value, at);
    if (value.is_number()) ask_number(rules, value, at);
    if (value.is_array()) ask_size(rules.least_items, rules.most_items, value.get_array().size(), "items", at);
    if (value.is_object()) {
      ask_size(rules.least_properties, rules.most_properties, value.get_object().size(), "properties", at);
    }
    if (rules.unique_items && value.is_array()) check_unlike(value, at);
    ask_alternatives(rules, value, at);
  }

  void ask_text(const Rules& rules, const doc::Value& value, const Path& at) {
    const std::string_view text = value.get_string();
    const std::uint64_t length = doc::count_code_points(text);
    if (rules.least_length && length < *rules.least_length) {
      refuse(at, value, fmt::format("should be at least {} chars long", *rules.least_length));
    }
    if (rules.most_length && length > *rules.most_length) {
      add(FieldError::Kind::kTooLong, at, fmt::format("Too long: may not be more than {} bytes", *rules.most_length));
    }
    if (rules.pattern && !re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *rules.pattern)) {
      refuse(at, value, fmt::format("should match '{}'", rules.pattern->pattern()));
    }
  }

  void ask_number(const Rules& rules, const doc::Value& value, const Path& at) {
    const auto number = value.to_number<double>();
    const auto bound = [](double limit) { return doc::to_json(doc::Value(limit)); };
    if (rules.maximum && (rules.exclusive_maximum ? number >= *rules.maximum : number > *rules.maximum)) {
      refuse(at, value,
             fmt::format("should be less than {}{}", rules.exclusive_maximum ? "" : "or equal to ",
                         bound(*rules.maximum)));
    }
    if (rules.minimum && (rules.exclusive_minimum ? number <= *rules.minimum : number < *rules.minimum)) {
      refuse(at, value,
             fmt::format("should be greater than {}{}", rules.exclusive_minimum ? "" : "or equal to ",
                         bound(*rules.minimum)));
    }
    if (rules.multiple_of && *rules.multiple_of != 0 && std::fmod(number, *rules.multiple_of) != 0) {
      refuse(at, value, fmt::format("should be a multiple of {}", bound(*rules.multiple_of)));
    }
  }

  void ask_size(std::optional<std::uint64_t> least, std::optional<std::uint64_t> most, std::size_t size,
                std::string_view what, const Path& at) {
    if (least && size < *least) refuse(at, doc::Value(size), fmt::format("should have at least {} {}", *least, what));
    if (most && size > *most) {
      add(FieldError::Kind::kTooMany, at, fmt::format("Too many: {}: must have at most {} items", size, *most));
    }
  }

  static bool passes(const Type& type, const doc::Value& value, const Path& at) {
    FieldErrors found;
    Checker(found).walk(type, value, at);
    return found.empty();
  }

  void ask_alternatives(const Rules& rules, const doc::Value& value, const Path& at) {
    const auto passing = [&](const std::vector<const Type*>& types) {
      return std::ranges::count_if(types, [&](const Type* type) { return passes(*type, value, at); });
    };
    for (const Type* type : rules.all_of) walk(*type, value, at);
    if (!rules.any_of.empty() && passing(rules.any_of) == 0) {
      refuse(at, value, "must validate at least one schema (anyOf)");
    }
    if (!rules.one_of.empty() && passing(rules.one_of) != 1) {
      refuse(at, value, "must validate one and only one schema (oneOf)");
    }
    if (rules.none_of && passes(*rules.none_of, value, at)) refuse(at, value, "must not validate the schema (not)");
  }

  FieldErrors& errors_;
};

/// What Go does not tell of a struct's member, as it is what one that was never set holds.
bool is_empty(const Field& field, const doc::Value& value) {
  if (value.is_null()) return field.type->form != Form::kAny;
  if (const doc::Object* map = value.if_object()) return map->empty() && field.type->form == Form::kMap;
  if (const doc::Array* list = value.if_array()) return list->empty() && field.type->form == Form::kList;
  if (field.pointer) return false;
  switch (field.type->form) {
    case Form::kString:
      return value.is_string() && value.get_string().empty();
    case Form::kInteger:
    case Form::kNumber:
      return value.is_number() && value.to_number<double>() == 0;
    case Form::kBoolean:
      return value.is_bool() && !value.get_bool();
    default:
      return false;
  }
}

/// What Go makes of a null among the elements of a list or a map: the zero value.
void settle_null(const Type& type, doc::Value& element) {
  if (!element.is_null()) return;
  if (type.name == kQuantity) {
    element = "0";
  } else if (type.form == Form::kString) {
    element = "";
  } else if (type.form == Form::kObject || type.form == Form::kMap) {
    element.emplace_object();
  }
}

/// "1" for 1 and for "1000m". What cannot be read is told by the rules of its kind.
void settle_quantity(const Type& type, doc::Value& value) {
  if (type.name != kQuantity || (!value.is_string() && !value.is_number())) return;
  if (const auto quantity = Quantity::parse(doc::scalar_text(value))) value = quantity->text();
}

/// Of a map whose values cannot be null and have no default.
void drop_null_members(const Type& type, doc::Value& value) {
  doc::Object* map = type.form == Form::kMap ? value.if_object() : nullptr;
  if (!map || !type.element || type.element->nullable || type.element->form == Form::kAny || type.element_otherwise) {
    return;
  }
  for (auto member = map->begin(); member != map->end();) {
    member = member->value().is_null() ? map->stable_erase(member) : std::next(member);
  }
}

}  // namespace

std::vector<std::string> unknown_fields(const Type& type, const doc::Value& value) {
  std::vector<std::string> found;
  find_unknown(type, value, {}, found);
  return found;
}

std::optional<std::string> misfit(const Type& type, const doc::Value& value) {
  std::optional<std::string> found;
  find_misfit(type, value, {}, found);
  return found;
}

std::optional<std::string> embedded_misfit(const Type& type, const doc::Value& value) {
  std::optional<std::string> found;
  find_embedded_misfit(type, value, {}, found);
  return found;
}

FieldErrors check(const Type& type, const doc::Value& value, const Path& at) {
  FieldErrors errors;
  Checker(errors).walk(type, value, at);
  return errors;
}

void prune(const Type& type, doc::Value& value) {
  if (doc::Object* object = value.if_object()) {
    for (auto it = object->begin(); it != object->end();) {
      // A sequence of members keeps its order only through stable_erase.
      it = knows(type, it->key()) ? std::next(it) : object->stable_erase(it);
    }
  }
  visit_children(type, value, {}, [](const Type& below, doc::Value& child, const Path&) {
    prune(below, child);
    return true;
  });
}

void drop_empty(const Type& type, doc::Value& value) {
  visit_children(type, value, {}, [&](const Type& below, doc::Value& child, const Path&) {
    if (type.form != Form::kObject) settle_null(below, child);
    settle_quantity(below, child);
    drop_empty(below, child);
    return true;
  });
  doc::Object* object = value.if_object();
  if (!object || type.form != Form::kObject) return;
  for (auto it = object->begin(); it != object->end();) {
    const Field* field = type.find(it->key());
    const bool told = !field || std::ranges::find(type.required, field->name) != type.required.end();
    it = !told && is_empty(*field, it->value()) ? object->stable_erase(it) : std::next(it);
  }
}

void drop_nulls(const Type& type, doc::Value& value) {
  if (type.form == Form::kAny) return;
  if (auto* object = value.if_object()) {
    if (type.fields.empty() && !type.element) return;
    for (auto member = object->begin(); member != object->end();) {
      const Field* field = type.find(member->key());
      const Type* below = field ? field->type : type.form == Form::kMap ? type.element : nullptr;
      const bool any = below && below->form == Form::kAny;
      if (member->value().is_null() && below && type.form == Form::kMap && below->form == Form::kString) {
        member->value() = "";
      }
      if (member->value().is_null() && !any) {
        member = object->stable_erase(member);
        continue;
      }
      if (below) drop_nulls(*below, member->value());
      ++member;
    }
  } else if (auto* list = value.if_array(); list && type.element) {
    for (doc::Value& one : *list) {
      if (one.is_null() && type.element->form == Form::kString) one = "";
      if (one.is_null() && type.element->form == Form::kObject) one = doc::Object();
      drop_nulls(*type.element, one);
    }
  }
}

void fill_defaults(const Type& type, doc::Value& value) {
  if (doc::Object* object = value.if_object()) {
    for (const Field& field : type.fields) {
      const doc::Value* present = object->if_contains(field.name);
      if (present && (!present->is_null() || field.type->nullable)) continue;
      if (field.otherwise) {
        (*object)[field.name] = *field.otherwise;
      } else if (present && field.type->form != Form::kAny) {
        object->stable_erase(object->find(field.name));
      }
    }
  }
  drop_null_members(type, value);
  visit_children(type, value, {}, [&](const Type& below, doc::Value& child, const Path&) {
    if (child.is_null() && type.element_otherwise && !below.nullable) child = *type.element_otherwise;
    fill_defaults(below, child);
    return true;
  });
}

}  // namespace tiphys::schema
