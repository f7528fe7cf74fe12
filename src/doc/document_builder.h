// Builds a document from the events of a YAML parser, noting where each part stands.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "doc/yaml.h"

namespace tiphys::doc {

/// What is wrong at a place of the text.
struct Complaint {
  Mark mark;
  std::string what;
};

using Built = std::expected<void, Complaint>;

struct ScalarEvent {
  std::string_view text;
  bool plain = true;     ///< neither quoted nor a block scalar
  std::string_view tag;  ///< "tag:yaml.org,2002:str"; "" when there is none
  std::string_view anchor;
  Mark mark;
};

class DocumentBuilder {
 public:
  explicit DocumentBuilder(Marks marks) : marks_(std::move(marks)) {}

  Built scalar(const ScalarEvent& event);
  Built alias(std::string_view anchor, Mark mark);
  Built begin_container(bool mapping, std::string_view anchor, Mark mark);
  Built end_container(Mark mark);
  /// Where the innermost mapping or sequence that has not ended begins.
  Mark open_container() const { return frames_.empty() ? Mark{} : frames_.back().start; }
  /// The column of the key or list whose value comes next; 0 when that is the document.
  std::uint32_t indentation() const {
    if (frames_.empty()) return 0;
    return frames_.back().value.is_object() ? frames_.back().key_mark.column : frames_.back().start.column;
  }
  Document release() { return {std::move(root_), std::move(marks_)}; }

 private:
  struct Frame {
    Value value;  ///< an object or an array
    std::string anchor;
    std::size_t parent_path = 0;  ///< length of the parent's pointer
    Mark start;
    std::string key;  ///< of the member whose value comes next
    Mark key_mark;
    bool has_key = false;
    bool merging = false;  ///< the key is "<<"
    struct Merge {
      Value value;
      Mark mark;
    };
    std::vector<Merge> merges;
  };

  bool wants_key() const { return !frames_.empty() && frames_.back().value.is_object() && !frames_.back().has_key; }
  Built take_key(std::string key, Mark mark, bool merge);
  /// Leads the pointer to the value that comes now; gives the length to return to.
  std::size_t enter(Mark mark);
  Built attach(Value value, Mark mark);
  Built add_merge(Frame& frame, Value value, Mark mark);
  void apply_merges(Frame& frame);

  Marks marks_;
  Value root_;
  std::vector<Frame> frames_;
  std::map<std::string, Value, std::less<>> anchors_;
  std::string path_;
  std::size_t expanded_ = 0;  ///< bytes that aliases stand for
};

}  // namespace tiphys::doc
