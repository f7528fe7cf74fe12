// tiphys convert.
#include "api/convert.h"

#include <fmt/format.h>

#include "cli/commands/common.h"
#include "cli/expand_files.h"
#include "cli/manifest.h"
#include "cli/terminal.h"

namespace tiphys::cli {
namespace {

Status convert(const std::vector<std::string>& arguments, std::string_view output) {
  TIPHYS_TRY(const auto files, expand_files(arguments, is_manifest));
  for (const std::string& file : files) {
    TIPHYS_TRY(const std::string text, read_text(file));
    TIPHYS_TRY(auto documents, doc::parse_yaml(text, file));
    for (doc::Document& document : documents) {
      api::convert_to_current(document.root);
      print(output == "json" ? doc::to_json(document.root) + "\n" : "---\n" + doc::to_yaml(document.root));
    }
  }
  return {};
}

}  // namespace

int convert_command(const Arguments& arguments) {
  Flags flags("convert",
              "Print manifests of earlier versions in today's form: schedules, mutexes and semaphores as lists",
              "  tiphys convert ./manifests > converted.yaml\n  cat workflow.yaml | tiphys convert -\n");
  std::vector<std::string> files;
  std::string output = "yaml";
  bool no_color = false;
  flags.choice("-o,--output", output, {"yaml", "json"}, "How they are printed");
  flags.flag("--no-color", no_color, "No effect: nothing is coloured");
  flags.positional("FILE", files, 1, SIZE_MAX);
  const auto parsed = flags.parse(arguments);
  if (!parsed) return report("convert", parsed.error());
  if (!*parsed) return kSucceeded;
  const Status converted = convert(files, output);
  return converted ? kSucceeded : report("convert", converted.error());
}

}  // namespace tiphys::cli
