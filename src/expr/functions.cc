#include "expr/functions.h"

#include <unordered_map>

#include "base/strings.h"
#include "expr/arguments.h"
#include "expr/go_text.h"
#include "expr/go_value.h"
#include "expr/operators.h"

namespace tiphys::expr {
namespace {

using Table = std::unordered_map<std::string_view, const Function*>;

Table make_table(std::initializer_list<std::span<const Function>> groups) {
  Table table;
  for (const auto& group : groups) {
    for (const Function& function : group) table.emplace(function.name, &function);
  }
  return table;
}

const Table& functions() {
  static const Table table = make_table({text_functions(), list_functions(), number_functions(), time_functions()});
  return table;
}

const Table& sprig_functions() {
  static const Table table = make_table(
      {sprig_text_functions(), sprig_list_functions(), sprig_map_functions(), sprig_number_functions(),
       sprig_time_functions(), sprig_hash_functions(), sprig_random_functions(), sprig_version_functions(),
       sprig_url_functions(), sprig_crypto_functions(), sprig_certificate_functions(), sprig_other_functions()});
  return table;
}

std::unexpected<Error> wrong_kind(Arguments arguments, std::size_t index, std::string_view wanted) {
  return bad_argument("cannot use " + std::string(go_type(*arguments[index])) + " as argument (type " +
                      std::string(wanted) + ")");
}

}  // namespace

const Function* find_function(std::string_view name) {
  const auto found = functions().find(name);
  return found == functions().end() ? nullptr : found->second;
}

const Function* find_sprig_function(std::string_view name) {
  const auto found = sprig_functions().find(name);
  return found == sprig_functions().end() ? nullptr : found->second;
}

std::string explain_sprig_function(std::string_view name) {
  std::vector<std::string> names;
  for (const auto& entry : sprig_functions()) names.emplace_back(entry.first);
  return "there is no function sprig." + std::string(name) + did_you_mean(name, names);
}

std::string suggest_function(std::string_view name) {
  std::vector<std::string> names;
  for (const auto& entry : functions()) names.emplace_back(entry.first);
  return did_you_mean(name, names);
}

std::unexpected<Error> bad_argument(std::string message) {
  return fail(Code::kInvalidArgument, std::move(message));
}

Result<std::string_view> text_argument(Arguments arguments, std::size_t index) {
  const auto* string = arguments[index]->if_string();
  if (!string) return wrong_kind(arguments, index, "string");
  return std::string_view(*string);
}

Result<std::int64_t> int_argument(Arguments arguments, std::size_t index) {
  const doc::Value& value = *arguments[index];
  if (value.is_int64()) return value.get_int64();
  if (value.is_uint64()) return static_cast<std::int64_t>(value.get_uint64());
  return wrong_kind(arguments, index, "int");
}

Result<const doc::Array*> array_argument(Arguments arguments, std::size_t index) {
  const auto* array = arguments[index]->if_array();
  if (!array) return wrong_kind(arguments, index, "array");
  return array;
}

Result<const doc::Object*> map_argument(Arguments arguments, std::size_t index) {
  if (const auto* strings = go_string_map(*arguments[index])) return strings;
  const auto* object = arguments[index]->if_object();
  if (!object || go_kind(*arguments[index])) return wrong_kind(arguments, index, "map");
  return object;
}

Result<std::string_view> text_or_empty(Arguments arguments, std::size_t index) {
  if (arguments[index]->is_null()) return std::string_view();
  return text_argument(arguments, index);
}

Result<std::int64_t> int_or_zero(Arguments arguments, std::size_t index) {
  if (arguments[index]->is_null()) return 0;
  return int_argument(arguments, index);
}

Result<const doc::Object*> map_or_empty(Arguments arguments, std::size_t index) {
  static const doc::Object empty;
  if (arguments[index]->is_null()) return &empty;
  if (go_string_map(*arguments[index])) return wrong_kind(arguments, index, "map[string]interface {}");
  return map_argument(arguments, index);
}

doc::Value texts(const std::vector<std::string_view>& parts) {
  doc::Array array;
  array.reserve(parts.size());
  for (const std::string_view part : parts) array.emplace_back(part);
  return array;
}

}  // namespace tiphys::expr
