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
void read(const Place& place, Synchronization& out);
void read(const Place& place, Template& out);
void read(const Place& place, std::shared_ptr<const Template>& out);

/// onExit of a workflow, step or task, which wins over hooks.exit.
void read_on_exit(const Place& place, std::optional<LifecycleHook>& exit);
void read_hooks(const Place& place, std::optional<LifecycleHook>& exit, std::vector<LifecycleHook>& others);

/// Kubernetes' own objects: checked, not read.
void check_container(const Place& place);
void check_script(const Place& place);
/// initContainers and sidecars.
void check_further_containers(const Place& place);
void check_volumes(const Place& place);
/// labels and annotations of pods.
void check_metadata(const Place& place);

}  // namespace tiphys::api
