// Where a configuration is in a file: by itself, or in a ConfigMap's texts, whose lines are told as the file's.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "api/parse.h"
#include "doc/yaml.h"

namespace tiphys::api {

class ConfigSource {
 public:
  /// The ConfigMap named workflow-controller-configmap, else the file's only document.
  static Result<ConfigSource> find(std::string_view text, std::string_view file);

  const doc::Value& root() const { return root_; }
  /// Findings about the root, as render_findings gives them.
  std::string render(const std::vector<Finding>& findings) const;

 private:
  Status take_map(std::string_view text, const doc::Document& map);
  static Result<doc::Document> read_text(std::string_view text, const doc::Marks& marks, std::string_view key,
                                         const doc::Value& value);

  doc::Value root_;
  doc::Marks marks_;                                         ///< of the root where no other is
  std::map<std::string, doc::Marks, std::less<>> of_field_;  ///< of a field that is a text of its own
};

}  // namespace tiphys::api
