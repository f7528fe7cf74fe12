#include "schema/path.h"

#include <fmt/format.h>

#include <iterator>

namespace tiphys::schema {

std::string Path::text() const {
  std::string out;
  append(out);
  return out;
}

void Path::append(std::string& out) const {
  if (!outer_) return;
  outer_->append(out);
  if (at_ == kField) {
    if (!out.empty()) out += '.';
    out += name_;
  } else if (at_ == kKey) {
    fmt::format_to(std::back_inserter(out), "[{}]", name_);
  } else {
    fmt::format_to(std::back_inserter(out), "[{}]", at_);
  }
}

}  // namespace tiphys::schema
