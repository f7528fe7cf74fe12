#include "api/fields_page.h"

#include <fmt/format.h>

#include "api/kinds.h"

namespace tiphys::api {
namespace {

/// Bars end a cell.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

std::string linked_type(const Shape& shape) {
  std::string name = type_name(shape);
  std::string link;
  if (shape.kubernetes) {
    link = kubernetes_link(shape.kubernetes);
  } else if (shape.fields) {
    link = "#";
    for (const char c : shape.fields->name()) link += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  if (!link.empty()) return fmt::format("[{}]({})", name, link);
  for (std::size_t i = 0; i < shape.choices.size(); ++i) name += fmt::format("{} {}", i ? "," : ":", shape.choices[i]);
  return name;
}

}  // namespace

std::string fields_page() {
  std::string text =
      "# Fields\n"
      "Every field that a manifest may have, from the tables by which `src/api` reads them. Written by `api_test`, "
      "which "
      "fails when this page is out\nof date: `TIPHYS_UPDATE_GOLDEN=1 build/release/bin/api_test "
      "--gtest_filter=FieldsPage.*` writes it anew. `tiphys explain` tells the same.\n\n"
      "Planes: *embedded*, this program alone; *only a cluster*, taken with a warning and without effect here; *not "
      "yet*, refused. A test is named where one\nshows the field at work.\n\n";
  for (const Kind& kind : kinds()) {
    text += fmt::format("* {} ({}, {}): {}\n", kind.name, kind.plural, kind.short_name, kind.about);
  }
  for (const FieldTable* table : all_tables()) {
    if (table->size() == 0) continue;
    text += fmt::format(
        "\n## {}\n| field | type | plane | what | test | differs from the original |\n|---|---|---|---|---|---|\n",
        table->name());
    for (std::size_t i = 0; i < table->size(); ++i) {
      const FieldInfo field = (*table)[i];
      text += fmt::format("| {} | {} | {} | {} | {} | {} |\n", field.name, linked_type(*field.shape),
                          plane_of(field.handling), cell(field.about), field.proof, cell(field.deviation));
    }
  }
  return text;
}

}  // namespace tiphys::api
