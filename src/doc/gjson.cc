#include "doc/gjson.h"

#include "doc/gjson/search.h"

namespace tiphys::doc {
namespace {

constexpr std::size_t kMaxText = std::size_t{16} << 20;
constexpr std::size_t kMaxPath = 16 * 1024;

GjsonResult owned(const gjson::Found& found) {
  return {found.type, std::string(found.raw), std::string(found.str), found.num, found.index, found.indexes};
}

gjson::Found view_of(const GjsonResult& result) {
  return {result.type, result.raw, result.str, result.num, result.index, result.indexes};
}

}  // namespace

GjsonResult gjson_get(std::string_view json, std::string_view path) {
  if (json.size() > kMaxText || path.size() > kMaxPath) return {};
  gjson::Workspace work;
  const gjson::Found found = gjson::get(work, json, path);
  return work.is_exhausted() ? GjsonResult() : owned(found);
}

GjsonResult gjson_parse(std::string_view json) {
  gjson::Workspace work;
  return owned(gjson::parse(work, json));
}

std::string GjsonResult::text() const {
  return gjson::text_of(view_of(*this));
}
bool GjsonResult::to_bool() const {
  return gjson::bool_of(view_of(*this));
}
std::int64_t GjsonResult::to_int() const {
  return gjson::int_of(view_of(*this));
}
std::uint64_t GjsonResult::to_uint() const {
  return gjson::uint_of(view_of(*this));
}
double GjsonResult::to_float() const {
  return gjson::float_of(view_of(*this));
}

std::vector<GjsonResult> GjsonResult::elements() const {
  gjson::Workspace work;
  std::vector<GjsonResult> all;
  for (const gjson::Found& element : gjson::elements(work, view_of(*this))) all.push_back(owned(element));
  return all;
}

}  // namespace tiphys::doc
