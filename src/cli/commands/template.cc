// tiphys template and tiphys cluster-template: get, list, create, delete, lint, update.
#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"
#include "cli/commands/common.h"
#include "cli/commands/lint.h"
#include "cli/template_source.h"
#include "cli/terminal.h"
#include "cli/view/humanize.h"
#include "cli/view/tab_writer.h"
#include "cli/view/workflow_text.h"
#include "doc/yaml.h"

namespace tiphys::cli {
namespace {

constexpr std::string_view kActions[] = {"create", "delete", "get", "lint", "list", "update"};

/// One of the two commands, and what is asked of it.
struct TemplateFlags {
  explicit TemplateFlags(const cluster::Resource& of) : resource(of) {}

  const cluster::Resource& resource;
  CommonFlags common;
  std::vector<std::string> names;  ///< of templates, or files
  std::string output, selector;
  bool all = false, all_namespaces = false, strict = true;

  std::string ns() const { return resource.namespaced ? common.chosen_namespace() : ""; }
  cluster::Key key(std::string_view name) const { return {&resource, ns(), std::string(name)}; }
  /// "workflow template"
  std::string_view words() const { return resource.namespaced ? "workflow template" : "cluster workflow template"; }
};

void print_template(const TemplateFlags& flags, const doc::Value& tmpl, Time now) {
  const std::string_view name = doc::find_string(tmpl, "metadata", "name");
  if (flags.output == "name") return print(fmt::format("{}\n", name));
  if (flags.output == "json") return print(doc::to_pretty_json(tmpl, 4) + "\n");
  if (flags.output == "yaml") return print(doc::to_yaml(tmpl));
  std::string text = fmt::format("{:<20} {}\n", "Name:", name);
  if (flags.resource.namespaced) {
    text += fmt::format("{:<20} {}\n", "Namespace:", doc::find_string(tmpl, "metadata", "namespace"));
  }
  text +=
      fmt::format("{:<20} {}\n", "Created:", timestamp_with_age(time_at(tmpl, "metadata", "creationTimestamp"), now));
  print(text);
}

Result<std::vector<cluster::Object>> list_templates(Session& session, const TemplateFlags& flags) {
  cluster::ListOptions options;
  if (!flags.all_namespaces) options.ns = flags.ns();
  TIPHYS_TRY(options.labels, cluster::Selector::parse(flags.selector));
  TIPHYS_TRY(cluster::List list, await<cluster::List>(session.loop(), [&](auto done) {
               session.cluster().list(flags.resource, std::move(options), std::move(done));
             }));
  return std::move(list.items);
}

Result<int> get(Session& session, const TemplateFlags& flags) {
  for (const std::string& name : flags.names) {
    TIPHYS_TRY(const cluster::Object tmpl, get_object(session, flags.key(name)));
    print_template(flags, *tmpl, session.loop().now());
  }
  return kSucceeded;
}

Result<int> list(Session& session, const TemplateFlags& flags) {
  TIPHYS_TRY(const auto templates, list_templates(session, flags));
  if (flags.output == "name") {
    for (const cluster::Object& tmpl : templates)
      print(fmt::format("{}\n", doc::find_string(*tmpl, "metadata", "name")));
    return kSucceeded;
  }
  std::string text = flags.all_namespaces ? "NAMESPACE\tNAME\n" : "NAME\n";
  for (const cluster::Object& tmpl : templates) {
    if (flags.all_namespaces) text += fmt::format("{}\t", doc::find_string(*tmpl, "metadata", "namespace"));
    text += fmt::format("{}\t\n", doc::find_string(*tmpl, "metadata", "name"));
  }
  print(align_columns(text, 3));
  return kSucceeded;
}

Result<int> remove(Session& session, TemplateFlags& flags) {
  if (flags.all) {
    TIPHYS_TRY(const auto templates, list_templates(session, flags));
    flags.names.clear();
    for (const auto& tmpl : templates) flags.names.emplace_back(doc::find_string(*tmpl, "metadata", "name"));
  }
  for (const std::string& name : flags.names) {
    TIPHYS_TRY([[maybe_unused]] const auto removed, await<cluster::Object>(session.loop(), [&](auto done) {
                 session.cluster().remove(flags.key(name), {}, std::move(done));
               }));
    print(fmt::format("{} '{}' deleted\n", flags.resource.kind, name));
  }
  return kSucceeded;
}

/// The templates of this command's kind in the files, checked by themselves.
Result<std::vector<Manifest>> read_templates(const TemplateFlags& flags, const PlaneRules& rules) {
  TIPHYS_TRY(Manifests manifests, read_manifests(flags.names));
  std::vector<Manifest> templates;
  std::string errors;
  for (Manifest& manifest : manifests.templates) {
    if (template_resource(manifest.workflow) != &flags.resource) continue;
    set_namespace(manifest.workflow, flags.ns());
    if (const Status checked = check_manifest(manifest, manifests.notes, rules); !checked)
      errors += checked.error().message;
    templates.push_back(std::move(manifest));
  }
  if (!errors.empty()) return fail(Code::kInvalidArgument, manifests.notes + errors);
  if (templates.empty()) {
    return fail(Code::kInvalidArgument,
                fmt::format("No {} found in given files: {}", flags.words(), join(flags.names, ", ")));
  }
  print_error(manifests.notes);
  return templates;
}

Result<int> put(Session& session, const TemplateFlags& flags, const std::vector<Manifest>& templates, bool update) {
  const PlaneRules rules{.form_alone = session.only_argo_api()};
  for (const Manifest& tmpl : templates) {
    if (const Status checked = check_references(session, tmpl, templates, rules); !checked) {
      return report_findings(checked.error());
    }
  }
  for (const Manifest& tmpl : templates) {
    const std::string_view name = doc::find_string(tmpl.workflow, "metadata", "name");
    if (update) {
      const auto current = get_object(session, flags.key(name));
      if (!current) {
        return std::unexpected(
            current.error().in(fmt::format("failed to get existing {} \"{}\" to update", flags.words(), name)));
      }
    }
    const auto written = put_template(session, tmpl.workflow, update);
    if (!written) {
      return std::unexpected(
          written.error().in(fmt::format("failed to {} {}", update ? "update" : "create", flags.words())));
    }
    print_template(flags, **written, session.loop().now());
  }
  return kSucceeded;
}

Result<int> run_action(std::string_view action, TemplateFlags& flags) {
  const bool writes = action == "create" || action == "update";
  std::vector<Manifest> templates;
  if (writes) {
    TIPHYS_TRY(const PlaceKind kind, flags.common.session.kind());
    auto read = read_templates(flags, {.form_alone = kind == PlaceKind::kArgoServer});
    if (!read) return report_findings(read.error());
    templates = std::move(*read);
  }
  if (action == "delete" && !flags.all && flags.names.empty()) return kSucceeded;
  Loop loop;
  TIPHYS_TRY(const auto session, open_session(loop, flags.common.session, Need::kRead));
  if (action == "get") return get(*session, flags);
  if (action == "list") return list(*session, flags);
  if (action == "delete") return remove(*session, flags);
  return put(*session, flags, templates, action == "update");
}

void add_flags(Flags& flags, std::string_view action, TemplateFlags& into) {
  if (action == "get") {
    flags.positional("NAME", into.names, 1, 1000);
  } else if (action == "delete") {
    flags.positional("NAME", into.names, 0, 1000);
    flags.flag("--all", into.all, fmt::format("Delete all {}s", into.words()));
  } else if (action == "list") {
    flags.positional("", into.names, 0, 0);
    flags.choice("-o,--output", into.output, {"wide", "name"}, "Output format");
    if (!into.resource.namespaced) return into.common.add_to(flags);
    flags.flag("-A,--all-namespaces", into.all_namespaces, "Show templates from all namespaces");
    flags.text("-l,--selector", into.selector, "LABELS", "Only templates with these labels (a=b,c!=d)");
  } else {
    flags.positional("FILE", into.names, 1, 1000);
    flags.flag("--strict", into.strict, "Validate strictly (always so)");
  }
  if (action != "delete" && action != "list") {
    flags.choice("-o,--output", into.output, {"name", "json", "yaml", "wide"}, "Output format");
  }
  into.common.add_to(flags);
}

int run(const cluster::Resource& resource, std::string_view command, const Arguments& arguments) {
  const std::vector<std::string> actions(std::begin(kActions), std::end(kActions));
  const std::string action = arguments.empty() ? "--help" : arguments.front();
  const std::string usage = fmt::format("Usage:\n  tiphys {} {} [flags]\n", command, join(actions, "|"));
  if (action == "--list-flags" || action == "--list-values") return kSucceeded;
  if (action == "--help" || action == "-h") {
    print(usage);
    return kSucceeded;
  }
  if (std::ranges::find(actions, action) == actions.end()) {
    print_error(
        fmt::format("tiphys {}: unknown command \"{}\"{}\n{}", command, action, did_you_mean(action, actions), usage));
    return kBadUsage;
  }
  const std::string name = fmt::format("{} {}", command, action);
  if (action == "lint") return lint_kind(name, resource.plural, {arguments.begin() + 1, arguments.end()});
  TemplateFlags into(resource);
  Flags flags(name, fmt::format("{} {}s", action, into.words()));
  add_flags(flags, action, into);
  const auto parsed = flags.parse({arguments.begin() + 1, arguments.end()});
  if (!parsed) return report(name, parsed.error());
  if (!*parsed) return kSucceeded;
  const auto code = run_action(action, into);
  return code ? *code : report(name, code.error());
}

}  // namespace

int template_command(const Arguments& arguments) {
  return run(cluster::kWorkflowTemplates, "template", arguments);
}

int cluster_template_command(const Arguments& arguments) {
  return run(cluster::kClusterWorkflowTemplates, "cluster-template", arguments);
}

}  // namespace tiphys::cli
