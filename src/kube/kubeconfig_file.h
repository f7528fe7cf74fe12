// One kubeconfig file, and reading its fields.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "doc/yaml.h"

namespace tiphys::kube {

/// A mapping in a file; its readers' errors name file, line and field.
class Entry {
 public:
  Entry(const doc::Value& value, const doc::Marks& marks, std::string folder)
      : value_(&value), marks_(&marks), folder_(std::move(folder)) {}

  /// "" and false for a field that is not there.
  Result<std::string> text(std::string_view field) const;
  Result<bool> flag(std::string_view field) const;
  Result<std::vector<std::string>> texts(std::string_view field) const;
  /// The text of a file that `file_field` names, or `data_field` as base64, which counts when both are there.
  Result<std::string> data(std::string_view data_field, std::string_view file_field) const;
  /// A path that `field` holds, seen from the file's folder.
  Result<std::string> path(std::string_view field) const;
  Result<std::optional<Entry>> entry(std::string_view field) const;
  /// The mappings of a list.
  Result<std::vector<Entry>> entries(std::string_view field) const;

  bool has(std::string_view field) const;
  const doc::Value& value() const { return *value_; }
  const std::string& folder() const { return folder_; }
  /// An error at one of the fields; "" is the entry itself.
  std::unexpected<Error> refuse(std::string_view field, std::string_view message) const;

 private:
  const doc::Value* find(std::string_view field) const;
  std::unexpected<Error> wrong_type(std::string_view field, std::string_view wanted) const;

  const doc::Value* value_;
  const doc::Marks* marks_;
  std::string folder_;
  std::string pointer_ = {};  ///< of the entry, as JSON pointer and as a person reads it
  std::string name_ = {};
};

struct KubeconfigFile {
  std::string path;
  doc::Document document;

  /// kNotFound when there is none.
  static Result<KubeconfigFile> read(const std::string& path);
  Entry root() const;
};

}  // namespace tiphys::kube
