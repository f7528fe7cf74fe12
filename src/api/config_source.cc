#include "api/config_source.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"

namespace tiphys::api {
namespace {

constexpr std::string_view kName = "workflow-controller-configmap";
constexpr std::string_view kAllKey = "config";

bool is_config_map(const doc::Value& document) {
  return doc::find_string(document, "kind") == "ConfigMap";
}

std::unexpected<Error> error_at(const doc::Marks& marks, doc::Mark mark, std::string_view message) {
  return fail(Code::kInvalidArgument, marks.render(mark, message));
}

std::size_t indent_of(std::string_view line) {
  const std::size_t indent = line.find_first_not_of(' ');
  return indent == std::string_view::npos ? line.size() : indent;
}

/// The file with nothing left but the lines of the block scalar ("|") that this key has, so that what is read of it has
/// the file's lines and columns; "" when it has none.
std::string only_block(std::string_view text, doc::Mark key, doc::Mark value) {
  const std::vector<std::string_view> lines = split(text, '\n');
  if (key.line == 0 || value.line <= key.line || value.line > lines.size()) return "";
  const std::string_view head = lines[key.line - 1];
  const std::size_t style = head.find_first_of("|>", head.find(':', key.column));
  if (style == std::string_view::npos || head[style] != '|') return "";
  std::string out(key.line, '\n');
  std::size_t indent = 0;
  for (std::size_t i = key.line; i < lines.size(); ++i) {
    const bool blank = indent_of(lines[i]) == lines[i].size();
    if (!blank && indent == 0) indent = indent_of(lines[i]);
    if (!blank && indent_of(lines[i]) < indent) break;
    out += lines[i];
    out += '\n';
  }
  return out;
}

}  // namespace

Result<ConfigSource> ConfigSource::find(std::string_view text, std::string_view file) {
  TIPHYS_TRY(const auto documents, doc::parse_yaml(text, file));
  const auto named = std::ranges::find_if(documents, [](const doc::Document& document) {
    return is_config_map(document.root) && doc::find_string(document.root, "metadata", "name") == kName;
  });
  ConfigSource source;
  if (named == documents.end() && documents.size() > 1) {
    return fail(Code::kInvalidArgument, fmt::format("{}: none of its documents is the ConfigMap {}", file, kName));
  }
  if (documents.empty()) {
    source.root_.emplace_object();
    return source;
  }
  const doc::Document& document = named == documents.end() ? documents.front() : *named;
  source.marks_ = document.marks;
  if (is_config_map(document.root)) {
    TIPHYS_CHECK_OK(source.take_map(text, document));
  } else {
    source.root_ = document.root;
  }
  return source;
}

/// The YAML in a text of `data`.
Result<doc::Document> ConfigSource::read_text(std::string_view text, const doc::Marks& marks, std::string_view key,
                                              const doc::Value& value) {
  const std::string pointer = "/data" + doc::pointer_step(key);
  if (!value.is_string()) {
    return error_at(marks, marks.value(pointer),
                    fmt::format("data.{} must be a string; quote it, or write it as a block: \"{}: |\"", key, key));
  }
  const std::string block = only_block(text, marks.key(pointer), marks.value(pointer));
  auto read = doc::parse_yaml(block.empty() ? std::string_view(value.get_string()) : block, marks.file());
  if (!read && block.empty()) return error_at(marks, marks.value(pointer), read.error().message);
  if (!read) return std::unexpected(read.error());
  doc::Document document;
  if (!read->empty()) document = std::move(read->front());
  if (!block.empty() && !read->empty()) return document;
  // What is no block has no lines of its own: all is told of where it begins.
  document.marks = doc::Marks(marks.file(), std::make_shared<const std::string>(text));
  document.marks.add("", marks.key(pointer), marks.value(pointer));
  return document;
}

Status ConfigSource::take_map(std::string_view text, const doc::Document& map) {
  doc::Object& root = root_.emplace_object();
  const doc::Value* data = doc::find(map.root, "data");
  if (!data || data->is_null()) return {};
  if (!data->is_object()) return error_at(map.marks, map.marks.value("/data"), "data must be an object");
  const doc::Value* whole = doc::find(*data, kAllKey);
  if (whole && data->get_object().size() > 1) {
    return error_at(map.marks, map.marks.key("/data/config"), "data has other keys beside config: put all under it");
  }
  if (whole) {
    TIPHYS_TRY(doc::Document all, read_text(text, map.marks, kAllKey, *whole));
    if (!all.root.is_null()) root_ = std::move(all.root);
    marks_ = std::move(all.marks);
    return {};
  }
  for (const auto& [key, value] : data->get_object()) {
    TIPHYS_TRY(doc::Document field, read_text(text, map.marks, key, value));
    root[key] = std::move(field.root);
    of_field_.emplace(key, std::move(field.marks));
  }
  return {};
}

std::string ConfigSource::render(const std::vector<Finding>& findings) const {
  std::string text;
  for (const Finding& finding : findings) {
    const auto end = finding.pointer.find('/', 1);
    const std::string_view field =
        std::string_view(finding.pointer).substr(0, end).substr(finding.pointer.empty() ? 0 : 1);
    const auto own = of_field_.find(field);
    if (own == of_field_.end()) {
      text += render_findings({finding}, marks_);
      continue;
    }
    Finding inside = finding;
    if (end == std::string::npos && finding.at_key) {
      inside.pointer = "/data" + finding.pointer;
      text += render_findings({inside}, marks_);
      continue;
    }
    inside.pointer = end == std::string::npos ? "" : finding.pointer.substr(end);
    text += render_findings({inside}, own->second);
  }
  return text;
}

}  // namespace tiphys::api
