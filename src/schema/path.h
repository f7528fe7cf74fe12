// Where one is in a document, as Kubernetes writes it: spec.containers[0].env, metadata.labels[app].
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tiphys::schema {

/// Frames on the stack, made into text only when there is something to tell.
class Path {
 public:
  Path() = default;
  Path field(std::string_view name) const { return {this, name, kField}; }
  Path key(std::string_view name) const { return {this, name, kKey}; }
  Path index(std::size_t at) const { return {this, {}, at}; }

  std::string text() const;

 private:
  static constexpr std::size_t kField = static_cast<std::size_t>(-1);
  static constexpr std::size_t kKey = static_cast<std::size_t>(-2);
  Path(const Path* outer, std::string_view name, std::size_t at) : outer_(outer), name_(name), at_(at) {}
  void append(std::string& out) const;

  const Path* outer_ = nullptr;
  std::string_view name_{};
  std::size_t at_ = kField;
};

}  // namespace tiphys::schema
