#include "kube/kubeconfig_file.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/encoding.h"
#include "base/file.h"

namespace tiphys::kube {
namespace {

std::string folder_of(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::absolute(path, ignored).parent_path().string();
}

}  // namespace

std::unexpected<Error> Entry::refuse(std::string_view field, std::string_view message) const {
  const std::string pointer = field.empty() ? pointer_ : pointer_ + doc::pointer_step(field);
  const std::string name = field.empty()   ? name_
                           : name_.empty() ? std::string(field)
                                           : fmt::format("{}.{}", name_, field);
  const std::string text = name.empty() ? std::string(message) : fmt::format("{}: {}", name, message);
  return fail(Code::kInvalidArgument, marks_->render(marks_->key(pointer), text));
}

std::unexpected<Error> Entry::wrong_type(std::string_view field, std::string_view wanted) const {
  return refuse(field, fmt::format("it must be {}", wanted));
}

const doc::Value* Entry::find(std::string_view field) const {
  const doc::Value* member = doc::find(*value_, field);
  return member && !member->is_null() ? member : nullptr;
}

bool Entry::has(std::string_view field) const {
  return find(field) != nullptr;
}

Result<std::string> Entry::text(std::string_view field) const {
  const doc::Value* member = find(field);
  if (!member) return std::string();
  if (!member->is_string()) return wrong_type(field, "a string");
  return std::string(member->get_string());
}

Result<bool> Entry::flag(std::string_view field) const {
  const doc::Value* member = find(field);
  if (!member) return false;
  if (!member->is_bool()) return wrong_type(field, "true or false");
  return member->get_bool();
}

Result<std::vector<std::string>> Entry::texts(std::string_view field) const {
  std::vector<std::string> list;
  const doc::Value* member = find(field);
  if (!member) return list;
  if (!member->is_array()) return wrong_type(field, "a list of strings");
  for (const doc::Value& each : member->get_array()) {
    if (!each.is_string()) return wrong_type(field, "a list of strings");
    list.emplace_back(each.get_string());
  }
  return list;
}

Result<std::string> Entry::path(std::string_view field) const {
  TIPHYS_TRY(std::string path, text(field));
  if (path.empty() || path.front() == '/') return path;
  return fmt::format("{}/{}", folder_, path);
}

Result<std::string> Entry::data(std::string_view data_field, std::string_view file_field) const {
  TIPHYS_TRY(const std::string encoded, text(data_field));
  if (!encoded.empty()) {
    Result<std::string> decoded = decode_base64(encoded);
    if (!decoded) return refuse(data_field, decoded.error().message);
    return decoded;
  }
  TIPHYS_TRY(const std::string named, path(file_field));
  if (named.empty()) return std::string();
  Result<std::string> content = read_whole_file(named);
  if (!content) return refuse(file_field, content.error().message);
  return content;
}

Result<std::optional<Entry>> Entry::entry(std::string_view field) const {
  const doc::Value* member = find(field);
  if (!member) return std::nullopt;
  if (!member->is_object()) return wrong_type(field, "a mapping");
  Entry entry(*member, *marks_, folder_);
  entry.pointer_ = pointer_ + doc::pointer_step(field);
  entry.name_ = name_.empty() ? std::string(field) : fmt::format("{}.{}", name_, field);
  return entry;
}

Result<std::vector<Entry>> Entry::entries(std::string_view field) const {
  std::vector<Entry> list;
  const doc::Value* member = find(field);
  if (!member) return list;
  if (!member->is_array()) return wrong_type(field, "a list");
  for (const doc::Value& each : member->get_array()) {
    Entry entry(each, *marks_, folder_);
    entry.pointer_ = fmt::format("{}{}/{}", pointer_, doc::pointer_step(field), list.size());
    entry.name_ = fmt::format("{}{}{}[{}]", name_, name_.empty() ? "" : ".", field, list.size());
    if (!each.is_object()) return entry.refuse("", "it must be a mapping");
    list.push_back(std::move(entry));
  }
  return list;
}

Result<KubeconfigFile> KubeconfigFile::read(const std::string& path) {
  TIPHYS_TRY(const std::string text, read_whole_file(path));
  TIPHYS_TRY(std::vector<doc::Document> documents, doc::parse_yaml(text, path));
  if (documents.size() > 1) {
    return fail(Code::kInvalidArgument,
                documents[1].marks.render(documents[1].marks.value(""), "a kubeconfig file holds one document"));
  }
  KubeconfigFile file{.path = path, .document = {}};
  file.document = documents.empty() ? doc::Document{doc::Object{}, doc::Marks(path, nullptr)} : std::move(documents[0]);
  const Entry root = file.root();
  if (!file.document.root.is_object()) return root.refuse("", "a kubeconfig file holds a mapping");
  TIPHYS_TRY(const std::string kind, root.text("kind"));
  if (!kind.empty() && kind != "Config") return root.refuse("kind", fmt::format("it must be Config, not {}", kind));
  TIPHYS_TRY(const std::string version, root.text("apiVersion"));
  if (!version.empty() && version != "v1") {
    return root.refuse("apiVersion", fmt::format("it must be v1, not {}", version));
  }
  return file;
}

Entry KubeconfigFile::root() const {
  return Entry(document.root, document.marks, folder_of(path));
}

}  // namespace tiphys::kube
