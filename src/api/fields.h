// Readers of the parts that templates are made of.
#pragma once

#include "api/reader.h"
#include "api/workflow.h"

namespace tiphys::api {

void read(const Place& place, Parameter& out);
void read(const Place& place, Artifact& out);
void read(const Place& place, Inputs& out);
void read(const Place& place, Outputs& out);

void read(const Place& place, RetryStrategy& out);
void read(const Place& place, TemplateRef& out);
void read(const Place& place, Template& out);
void read(const Place& place, std::shared_ptr<const Template>& out);

/// hooks and onExit of a workflow, step or task: only `exit` runs today. `onExit`, where both are given, wins.
struct ExitHook {
  std::string template_name;
  std::optional<TemplateRef> template_ref;
  Arguments arguments;
};
void read_hooks(const Place& place, ExitHook& out);

/// Kubernetes' own objects: checked, not read.
void check_container(const Place& place);
void check_script(const Place& place);
void check_volumes(const Place& place);
/// labels and annotations of pods.
void check_metadata(const Place& place);

}  // namespace tiphys::api
