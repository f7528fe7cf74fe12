#include "controllers/large_arguments.h"

#include <fmt/format.h>

namespace tiphys::controllers {
namespace {

doc::Array* words(doc::Object& container, std::string_view field) {
  doc::Value* found = container.if_contains(field);
  return found ? found->if_array() : nullptr;
}

}  // namespace

doc::Array offload_arguments(doc::Object& container) {
  doc::Array files;
  doc::Array* args = words(container, "args");
  if (!args) return files;
  std::size_t all = 0;
  for (const doc::Value& arg : *args) all += arg.is_string() ? arg.get_string().size() + 3 : 0;  // as JSON
  if (all + 1 <= kLongestArgument) return files;
  std::size_t place = 0;
  const auto offload = [&](doc::Value& word) {
    const std::size_t at = place++;
    if (!word.is_string() || word.get_string().size() <= kLongestArgument) return;
    const std::string path = fmt::format("/tmp/argo_arg_{}.txt", at);
    files.push_back(doc::Object{{"path", path}, {"content", word}});
    word = "@" + path;
  };
  if (doc::Array* command = words(container, "command")) {
    for (std::size_t i = 1; i < command->size(); ++i) offload((*command)[i]);
  }
  for (doc::Value& arg : *args) offload(arg);
  return files;
}

}  // namespace tiphys::controllers
