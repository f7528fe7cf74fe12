// tiphys explain and schema: what a manifest may say.
#include "api/explain.h"

#include "api/json_schema.h"
#include "cli/commands/command.h"
#include "cli/commands/common.h"
#include "cli/terminal.h"

namespace tiphys::cli {

int explain_command(const Arguments& arguments) {
  Flags flags("explain", "Describe a field of a manifest",
              "  tiphys explain workflow.spec.templates.retryStrategy\n  tiphys explain wf --recursive\n");
  std::vector<std::string> paths;
  bool recursive = false;
  flags.positional("KIND[.FIELD]...", paths, 1, 1);
  flags.flag("--recursive", recursive, "List all fields below");
  const auto parsed = flags.parse(arguments);
  if (!parsed) return report("explain", parsed.error());
  if (!*parsed) return kSucceeded;
  const auto text = api::explain(paths.front(), recursive);
  if (!text) return report("explain", text.error());
  print(*text);
  return kSucceeded;
}

int schema_command(const Arguments& arguments) {
  Flags flags("schema", "Print the JSON schema of manifests, for editors", "  tiphys schema > argo.schema.json\n");
  const auto parsed = flags.parse(arguments);
  if (!parsed) return report("schema", parsed.error());
  if (!*parsed) return kSucceeded;
  print(doc::to_json(api::json_schema()) + "\n");
  return kSucceeded;
}

}  // namespace tiphys::cli
