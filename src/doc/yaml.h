// YAML as Kubernetes reads it (sigs.k8s.io/yaml: YAML 1.1 scalars, duplicate keys are errors), with the position of
// every field.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "doc/value.h"

namespace tiphys::doc {

/// A place in a text, both counted from 1; line 0 means unknown.
struct Mark {
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  bool operator==(const Mark&) const = default;
};

/// Where the parts of one document stand in their file.
class Marks {
 public:
  Marks() = default;
  Marks(std::string file, std::shared_ptr<const std::string> text) : file_(std::move(file)), text_(std::move(text)) {}

  /// `pointer` is a JSON pointer (RFC 6901), "" the document itself.
  void add(std::string pointer, Mark key, Mark value);
  /// The key's place where the value has a key, else the value's; of the nearest ancestor that is known.
  Mark key(std::string_view pointer) const;
  Mark value(std::string_view pointer) const;

  const std::string& file() const { return file_; }
  /// "digits.yaml:12:9: " and `message`, then the offending line and a caret under the column.
  std::string render(Mark mark, std::string_view message) const;

 private:
  struct Place {
    Mark key, value;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  const Place* nearest(std::string_view pointer) const;

  std::string file_;
  std::shared_ptr<const std::string> text_;
  std::unordered_map<std::string, Place, Hash, std::equal_to<>> places_;
};

struct Document {
  Value root;
  Marks marks;
};

/// All documents of a YAML or JSON text; empty ones are left out. An error's message is "file:line:column: what", with
/// the line and a caret. Bounds: a text of 32 MiB, 64 levels, and 16 MiB of what aliases stand for.
Result<std::vector<Document>> parse_yaml(std::string_view text, std::string_view file);

/// Block-style YAML that parse_yaml reads back to the same value, keys in insertion order.
std::string to_yaml(const Value& value);

/// `key` escaped for a JSON pointer, with the "/" before it.
std::string pointer_step(std::string_view key);

}  // namespace tiphys::doc
