#include <algorithm>
#include <string>

#include "artifact/xml.h"
#include "fuzz/targets.h"

namespace tiphys::fuzz {
namespace {

using artifact::XmlElement;

/// What XML keeps of an element but for its name, of which a namespace's prefix is gone.
std::string written(const XmlElement& element) {
  std::string text = "<e>" + artifact::xml_text(element.text);
  for (const XmlElement& child : element.children) text += written(child);
  return text + "</e>";
}

bool same(const XmlElement& a, const XmlElement& b) {
  return a.text == b.text && std::ranges::equal(a.children, b.children, same);
}

void xml(std::string_view input) {
  const auto parsed = artifact::parse_xml(input);
  check_error(parsed);
  if (!parsed) return;
  const auto again = artifact::parse_xml(written(*parsed));
  TIPHYS_CHECK(again && same(*again, *parsed), "what is written is read back");
}

constexpr Target kTargets[] = {{"xml", xml}};

}  // namespace

std::span<const Target> artifact_targets() {
  return kTargets;
}

}  // namespace tiphys::fuzz
