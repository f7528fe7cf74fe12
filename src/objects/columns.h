// The columns of each kind's table, as kubectl's users know them (k8s.io/kubernetes/pkg/printers/internalversion; the
// additionalPrinterColumns of Argo's definitions).
#pragma once

#include "objects/table.h"

namespace tiphys::objects {

doc::Value name_cell(const doc::Value& object, Time now);
doc::Value age_cell(const doc::Value& object, Time now);

inline constexpr Column kNameColumn{"Name", "string", 0, "Its name, unlike all others of its kind in the namespace.",
                                    name_cell};
inline constexpr Column kAgeColumn{"Age", "string", 0, "Time since it was made.", age_cell};

/// Empty when a kind has name and age alone.
std::span<const Column> own_columns(const cluster::Resource& resource);

// Of what has a template of pods.
doc::Value container_names_cell(const doc::Value& object, Time now);
doc::Value container_images_cell(const doc::Value& object, Time now);
doc::Value label_selector_cell(const doc::Value& object, Time now);
/// Of a map of labels, or none.
doc::Value label_map_cell(const doc::Value* labels);
inline constexpr Column kContainersColumn{"Containers", "string", 1, "The names of its containers.",
                                          container_names_cell};
inline constexpr Column kImagesColumn{"Images", "string", 1, "The images of its containers.", container_images_cell};
inline constexpr Column kSelectorColumn{"Selector", "string", 1, "The labels of its pods.", label_selector_cell};
/// Of Kubernetes' own kinds that make pods, but for Jobs (workload_columns.cc); empty for other kinds.
std::span<const Column> workload_columns(const cluster::Resource& resource);

/// Of Endpoints and EndpointSlices (endpoint_columns.cc); empty for other kinds.
std::span<const Column> endpoint_columns(const cluster::Resource& resource);
/// Of Events, in both of their forms (event_columns.cc); empty for other kinds.
std::span<const Column> event_columns(const cluster::Resource& resource);
/// Of ResourceQuotas and LimitRanges (quota_columns.cc); empty for other kinds.
std::span<const Column> quota_columns(const cluster::Resource& resource);

// Of pods (pod_columns.cc).
doc::Value pod_ready_cell(const doc::Value& pod, Time now);
doc::Value pod_status_cell(const doc::Value& pod, Time now);
doc::Value pod_restarts_cell(const doc::Value& pod, Time now);

}  // namespace tiphys::objects
