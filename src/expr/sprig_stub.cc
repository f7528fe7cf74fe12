#include "expr/arguments.h"
namespace tiphys::expr {
std::span<const Function> sprig_text_functions() {
  return {};
}
std::span<const Function> sprig_list_functions() {
  return {};
}
std::span<const Function> sprig_map_functions() {
  return {};
}
std::span<const Function> sprig_number_functions() {
  return {};
}
std::span<const Function> sprig_other_functions() {
  return {};
}
}  // namespace tiphys::expr
