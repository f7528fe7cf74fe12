#include "argo/empty_structs.h"

#include <algorithm>
#include <span>

#include "doc/json_text.h"

namespace tiphys::argo {
namespace {

using Path = std::span<const std::string_view>;

constexpr std::string_view kArguments[] = {"spec", "arguments"};
constexpr std::string_view kCronArguments[] = {"spec", "workflowSpec", "arguments"};
constexpr std::string_view kStatus[] = {"status"};

struct Struct {
  std::string_view kind;
  Path path;
};

constexpr Struct kStructs[] = {
    {"Workflow", kArguments},         {"Workflow", kStatus},
    {"WorkflowTemplate", kArguments}, {"ClusterWorkflowTemplate", kArguments},
    {"CronWorkflow", kCronArguments}, {"CronWorkflow", kStatus},
    {"EventSource", kStatus},         {"Sensor", kStatus},
};

bool lacks(const doc::Value& value, Path path) {
  if (!value.is_object()) return false;
  const doc::Value* member = doc::find(value, path.front());
  return !member || (path.size() > 1 && lacks(*member, path.subspan(1)));
}

void ensure(doc::Value& value, Path path) {
  if (path.empty() || !value.is_object()) return;
  doc::Object& object = value.get_object();
  doc::Value* member = object.if_contains(path.front());
  ensure(member ? *member : object[path.front()] = doc::Object(), path.subspan(1));
}

/// The members of an object as they are written, one after the other. A value is passed over when the next member is
/// asked for: what stands last is not read to its end.
class Members {
 public:
  explicit Members(std::string_view object) : text_(object) {}

  /// False at the end, and where the text is not what is expected.
  bool next() {
    if (value_at_ != 0) at_ = doc::end_of_value(text_, value_at_);
    ++at_;  // the brace, or a comma
    if (at_ >= text_.size() || text_[at_] != '"') return false;
    const std::size_t end = doc::end_of_value(text_, at_);
    key_ = text_.substr(at_ + 1, end - at_ - 2);
    value_at_ = end + 1;  // after the colon
    return value_at_ < text_.size();
  }
  std::string_view key() const { return key_; }
  std::string_view value() const { return text_.substr(value_at_, doc::end_of_value(text_, value_at_) - value_at_); }
  std::size_t value_at() const { return value_at_; }

 private:
  const std::string_view text_;
  std::size_t at_ = 0;
  std::size_t value_at_ = 0;
  std::string_view key_;
};

bool has_member(std::string_view object, std::string_view key) {
  for (Members members(object); members.next();) {
    if (members.key() == key) return true;
  }
  return false;
}

}  // namespace

void add_empty_structs(doc::Value& object, std::string_view kind) {
  for (const Struct& one : kStructs) {
    if (one.kind == kind) ensure(object, one.path);
  }
}

cluster::Object with_empty_structs(const cluster::Object& object) {
  const std::string_view kind = doc::find_string(*object, "kind");
  const bool whole =
      std::ranges::none_of(kStructs, [&](const Struct& one) { return one.kind == kind && lacks(*object, one.path); });
  if (whole) return object;
  doc::Value filled = *object;
  add_empty_structs(filled, kind);
  return std::make_shared<const doc::Value>(std::move(filled));
}

std::optional<std::string> workflow_with_empty_structs(std::string_view json) {
  if (!json.starts_with('{') || !json.ends_with('}')) return std::nullopt;
  std::size_t spec = json.npos;
  bool has_status = false, has_arguments = true;
  for (Members members(json); (spec == json.npos || !has_status) && members.next();) {
    if (members.key() == "status") has_status = true;
    if (members.key() != "spec" || json[members.value_at()] != '{') continue;
    spec = members.value_at() + 1;
    has_arguments = has_member(members.value(), "arguments");
  }
  if (has_status && has_arguments) return std::nullopt;
  std::string filled(json);
  if (!has_status) filled.insert(filled.size() - 1, R"(,"status":{})");
  if (!has_arguments) filled.insert(spec, json[spec] == '}' ? R"("arguments":{})" : R"("arguments":{},)");
  return filled;
}

}  // namespace tiphys::argo
