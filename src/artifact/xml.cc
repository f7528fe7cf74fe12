#include "artifact/xml.h"

#include <expat.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>

namespace tiphys::artifact {
namespace {

constexpr std::size_t kMostDepth = 32;

struct Entity {
  std::string_view name;
  char letter;
};
constexpr Entity kEntities[] = {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}, {"#13", '\r'}};

using Parser = std::unique_ptr<std::remove_pointer_t<XML_Parser>, decltype(&XML_ParserFree)>;

/// What is read so far. Elements that are not closed yet are in `open`, so that none moves while another points at it.
struct Reading {
  XML_Parser parser;
  std::vector<XmlElement> open;
  XmlElement root;
  std::string refused{};

  void refuse(std::string why) {
    refused = std::move(why);
    XML_StopParser(parser, XML_FALSE);
  }
};

void begin_element(void* data, const char* name, const char**) {
  auto& reading = *static_cast<Reading*>(data);
  if (reading.open.size() == kMostDepth) return reading.refuse("elements lie too deep in each other");
  const std::string_view whole = name;
  reading.open.push_back({std::string(whole.substr(whole.find(':') + 1)), {}, {}});
}

void end_element(void* data, const char*) {
  auto& reading = *static_cast<Reading*>(data);
  XmlElement done = std::move(reading.open.back());
  reading.open.pop_back();
  if (reading.open.empty()) {
    reading.root = std::move(done);
  } else {
    reading.open.back().children.push_back(std::move(done));
  }
}

void add_text(void* data, const char* text, int size) {
  auto& reading = *static_cast<Reading*>(data);
  if (!reading.open.empty()) reading.open.back().text.append(text, static_cast<std::size_t>(size));
}

void refuse_document_type(void* data, const char*, const char*, const char*, int) {
  static_cast<Reading*>(data)->refuse("a document type is not taken");
}

}  // namespace

const XmlElement* XmlElement::find(std::string_view child) const {
  const auto found = std::ranges::find(children, child, &XmlElement::name);
  return found == children.end() ? nullptr : &*found;
}

std::string_view XmlElement::child_text(std::string_view child) const {
  const XmlElement* found = find(child);
  return found ? std::string_view(found->text) : "";
}

Result<XmlElement> parse_xml(std::string_view text) {
  const Parser parser(XML_ParserCreate("UTF-8"), &XML_ParserFree);
  if (!parser) return fail(Code::kResourceExhausted, "no memory for an XML parser");
  Reading reading{parser.get(), {}, {}};
  XML_SetUserData(parser.get(), &reading);
  XML_SetElementHandler(parser.get(), begin_element, end_element);
  XML_SetCharacterDataHandler(parser.get(), add_text);
  XML_SetStartDoctypeDeclHandler(parser.get(), refuse_document_type);
  if (XML_Parse(parser.get(), text.data(), static_cast<int>(text.size()), XML_TRUE) == XML_STATUS_OK) {
    return std::move(reading.root);
  }
  const std::string why = reading.refused.empty() ? XML_ErrorString(XML_GetErrorCode(parser.get())) : reading.refused;
  return fail(Code::kDataLoss, fmt::format("XML: {} at byte {}", why, XML_GetCurrentByteIndex(parser.get())));
}

std::string xml_text(std::string_view text) {
  std::string made;
  for (const char c : text) {
    const auto known = std::ranges::find(kEntities, c, &Entity::letter);
    if (known == std::end(kEntities)) {
      made += c;
    } else {
      made += fmt::format("&{};", known->name);
    }
  }
  return made;
}

}  // namespace tiphys::artifact
