#include "cluster/job_selector.h"

#include <string>

namespace tiphys::cluster {

void complete_job_selector(doc::Object& job) {
  const doc::Value whole = job;
  const doc::Value* manual = doc::find(whole, "spec", "manualSelector");
  if (manual && manual->is_bool() && manual->get_bool()) return;
  const std::string name(doc::find_string(whole, "metadata", "name"));
  const std::string uid(doc::find_string(whole, "metadata", "uid"));
  doc::Object& spec = doc::ensure_object(job, "spec");
  doc::Object& labels =
      doc::ensure_object(doc::ensure_object(doc::ensure_object(spec, "template"), "metadata"), "labels");
  for (const char* label : {"job-name", "batch.kubernetes.io/job-name"}) {
    if (!labels.contains(label)) labels[label] = name;
  }
  for (const char* label : {"controller-uid", "batch.kubernetes.io/controller-uid"}) {
    if (!labels.contains(label)) labels[label] = uid;
  }
  doc::Object& wanted = doc::ensure_object(doc::ensure_object(spec, "selector"), "matchLabels");
  if (!wanted.contains("batch.kubernetes.io/controller-uid")) wanted["batch.kubernetes.io/controller-uid"] = uid;
}

}  // namespace tiphys::cluster
