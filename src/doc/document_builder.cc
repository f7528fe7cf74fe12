#include "doc/document_builder.h"

#include <fmt/format.h>

#include <cmath>

#include "doc/yaml_scalar.h"

namespace tiphys::doc {
namespace {

constexpr std::size_t kMaxDepth = 64;
constexpr std::size_t kMaxExpanded = std::size_t{16} << 20;

std::unexpected<Complaint> complain(Mark mark, std::string what) {
  return std::unexpected(Complaint{mark, std::move(what)});
}

struct Extent {
  std::size_t bytes = 0;
  std::size_t depth = 0;
};

Extent measure(const Value& value) {
  Extent extent{sizeof(Value), 0};
  const auto add = [&](const Value& part) {
    const Extent inner = measure(part);
    extent.bytes += inner.bytes;
    extent.depth = std::max(extent.depth, inner.depth + 1);
  };
  if (const auto* text = value.if_string()) {
    extent.bytes += text->size();
  } else if (const Object* object = value.if_object()) {
    for (const auto& [key, member] : *object) {
      extent.bytes += key.size();
      add(member);
    }
  } else if (const Array* array = value.if_array()) {
    for (const Value& element : *array) add(element);
  }
  return extent;
}

constexpr std::string_view kCoreTag = "tag:yaml.org,2002:";

std::expected<Scalar, Complaint> resolve(const ScalarEvent& event) {
  if (event.tag.empty()) return event.plain ? resolve_scalar(event.text) : Scalar{};
  if (!event.tag.starts_with(kCoreTag)) return Scalar{};
  const std::string_view type = event.tag.substr(kCoreTag.size());
  if (type == "binary") return complain(event.mark, "!!binary is not supported; give the text itself");
  Scalar scalar = resolve_scalar(event.text);
  const bool fits = (type == "int" && scalar.kind == ScalarKind::kInt) ||
                    (type == "float" && (scalar.kind == ScalarKind::kInt || scalar.kind == ScalarKind::kFloat)) ||
                    (type == "bool" && scalar.kind == ScalarKind::kBool) ||
                    (type == "null" && scalar.kind == ScalarKind::kNull) ||
                    (type == "merge" && scalar.kind == ScalarKind::kMerge);
  if (fits) return scalar;
  if (type == "int" || type == "float" || type == "bool" || type == "null" || type == "merge") {
    return complain(event.mark, fmt::format("\"{}\" is no !!{}", event.text, type));
  }
  return Scalar{};
}

}  // namespace

std::size_t DocumentBuilder::enter(Mark mark) {
  const std::size_t length = path_.size();
  Mark key;
  if (!frames_.empty()) {
    const Frame& frame = frames_.back();
    if (const Array* array = frame.value.if_array()) {
      fmt::format_to(std::back_inserter(path_), "/{}", array->size());
    } else {
      path_ += pointer_step(frame.key);
      key = frame.key_mark;
    }
  }
  marks_.add(path_, key, mark.line ? mark : key);
  return length;
}

Built DocumentBuilder::take_key(std::string key, Mark mark, bool merge) {
  Frame& frame = frames_.back();
  if (!merge && frame.value.get_object().contains(key)) {
    const Mark first = marks_.key(path_ + pointer_step(key));
    return complain(mark, fmt::format("key \"{}\" appears twice; the first is in line {}", key, first.line));
  }
  frame.key = std::move(key);
  frame.key_mark = mark;
  frame.has_key = true;
  frame.merging = merge;
  return {};
}

Built DocumentBuilder::scalar(const ScalarEvent& event) {
  auto resolved = resolve(event);
  if (!resolved) return std::unexpected(std::move(resolved).error());
  Scalar& scalar = *resolved;
  if (wants_key()) {
    switch (scalar.kind) {
      case ScalarKind::kString:
        return take_key(std::string(event.text), event.mark, false);
      case ScalarKind::kMerge:
        return take_key("<<", event.mark, true);
      case ScalarKind::kNull:
        return complain(event.mark, "a key may not be null; quote it if it is text");
      default:
        return take_key(to_json(scalar.value), event.mark, false);
    }
  }
  if (scalar.kind == ScalarKind::kString || scalar.kind == ScalarKind::kMerge) {
    scalar.value = boost::json::string(event.text);
  } else if (scalar.kind == ScalarKind::kFloat && scalar.value.is_double() &&
             !std::isfinite(scalar.value.get_double())) {
    return complain(event.mark, fmt::format("{} has no form in JSON; quote it if it is text", event.text));
  }
  if (!event.anchor.empty()) anchors_.insert_or_assign(std::string(event.anchor), scalar.value);
  const std::size_t back = enter(event.mark);
  path_.resize(back);
  return attach(std::move(scalar.value), event.mark);
}

Built DocumentBuilder::alias(std::string_view anchor, Mark mark) {
  const auto found = anchors_.find(anchor);
  if (found == anchors_.end()) return complain(mark, fmt::format("unknown anchor \"{}\"", anchor));
  const Value& value = found->second;
  if (wants_key()) {
    if (!value.is_string()) return complain(mark, "an alias that is a key must stand for text");
    return take_key(std::string(value.get_string()), mark, false);
  }
  const Extent extent = measure(value);
  expanded_ += extent.bytes;
  if (expanded_ > kMaxExpanded) return complain(mark, "the aliases stand for more than 16 MiB");
  if (frames_.size() + extent.depth > kMaxDepth) {
    return complain(mark, fmt::format("nested deeper than {} levels", kMaxDepth));
  }
  const std::size_t back = enter(mark);
  path_.resize(back);
  return attach(value, mark);
}

Built DocumentBuilder::begin_container(bool mapping, std::string_view anchor, Mark mark) {
  if (wants_key()) {
    return complain(frames_.back().start,
                    "a key must be text; a value that starts with a tag {{...}} has to be quoted");
  }
  if (frames_.size() >= kMaxDepth) return complain(mark, fmt::format("nested deeper than {} levels", kMaxDepth));
  Frame frame;
  frame.parent_path = enter(mark);
  frame.value = mapping ? Value(Object()) : Value(Array());
  frame.anchor = anchor;
  frame.start = mark;
  frames_.push_back(std::move(frame));
  return {};
}

Built DocumentBuilder::end_container(Mark mark) {
  Frame frame = std::move(frames_.back());
  frames_.pop_back();
  if (!frame.merges.empty()) apply_merges(frame);
  path_.resize(frame.parent_path);
  if (!frame.anchor.empty()) anchors_.insert_or_assign(std::move(frame.anchor), frame.value);
  return attach(std::move(frame.value), frame.start.line ? frame.start : mark);
}

Built DocumentBuilder::attach(Value value, Mark mark) {
  if (frames_.empty()) {
    root_ = std::move(value);
    return {};
  }
  Frame& frame = frames_.back();
  if (Array* array = frame.value.if_array()) {
    array->push_back(std::move(value));
    return {};
  }
  frame.has_key = false;
  if (frame.merging) return add_merge(frame, std::move(value), mark);
  frame.value.get_object().emplace(frame.key, std::move(value));
  return {};
}

Built DocumentBuilder::add_merge(Frame& frame, Value value, Mark mark) {
  frame.merging = false;
  if (value.is_object()) {
    frame.merges.push_back({std::move(value), mark});
    return {};
  }
  if (Array* array = value.if_array()) {
    for (Value& element : *array) {
      if (!element.is_object()) return complain(mark, "the key << takes mappings");
      frame.merges.push_back({std::move(element), mark});
    }
    return {};
  }
  return complain(mark, "the key << takes a mapping or a list of mappings");
}

void DocumentBuilder::apply_merges(Frame& frame) {
  Object& object = frame.value.get_object();
  for (Frame::Merge& merge : frame.merges) {
    for (auto& member : merge.value.get_object()) {
      if (!object.emplace(member.key(), std::move(member.value())).second) continue;
      std::string step = pointer_step(member.key());
      marks_.add(path_ + step, merge.mark, merge.mark);
    }
  }
}

}  // namespace tiphys::doc
