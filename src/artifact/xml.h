// Reading the XML that object stores answer with.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace tiphys::artifact {

struct XmlElement {
  std::string name;  ///< without a namespace's prefix
  std::string text;  ///< of its own, entities resolved
  std::vector<XmlElement> children;

  /// The text of the first child of that name; "" when there is none.
  std::string_view child_text(std::string_view child) const;
  const XmlElement* find(std::string_view child) const;
};

/// The root element. Attributes are passed over; document types are refused.
Result<XmlElement> parse_xml(std::string_view text);

/// The text with what XML gives a meaning escaped.
std::string xml_text(std::string_view text);

}  // namespace tiphys::artifact
