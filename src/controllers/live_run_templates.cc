// Templates of other objects that are known only as the workflow runs. What is found is stored with it for good, like
// those that were there as it began, along with what follows from it or before.
#include "api/found_templates.h"
#include "base/log.h"
#include "controllers/artifact_gc.h"
#include "controllers/fetch_references.h"
#include "controllers/live_run.h"

namespace tiphys::controllers {

void LiveRun::find_template(const api::TemplateRef& ref) {
  fetch_reference(environment_.cluster, run_->workflow(), ref,
                  guarded([ref](LiveRun& self, Result<api::References> references) {
                    self.template_fetched(ref, std::move(references));
                  }));
}

void LiveRun::template_fetched(const api::TemplateRef& ref, Result<api::References> references) {
  if (!references) {
    log::warn("template {} of workflow {}/{} is looked for again: {}", ref.key(), key_.ns, key_.name,
              references.error().message);
    environment_.executor.schedule(environment_.executor.now() + environment_.first_retry,
                                   guarded([ref](LiveRun& self) { self.find_template(ref); }));
    return;
  }
  engine::TemplateAnswered answer{.ref = ref, .templates = {}, .error = {}};
  if (auto stored = store_templates(ref, *references)) {
    answer.templates = std::move(*stored);
  } else {
    answer.error = stored.error().message;
  }
  push(std::move(answer));
}

/// Of several that are looked for at a time the first brings what they share.
Result<api::StoredTemplates> LiveRun::store_templates(const api::TemplateRef& ref, const api::References& references) {
  TIPHYS_TRY(api::FoundTemplates found, api::found_templates(run_->workflow(), ref, references));
  const doc::Value* stored = doc::find(*run_->workflow().document, "status", "storedTemplates");
  for (auto& [key, document] : found.documents) {
    if (found_templates_.contains(key) || (stored && doc::find(*stored, key))) {
      found.templates.erase(std::string(key));
    } else {
      found_templates_.emplace(key, document);
    }
  }
  doc::Object all = stored && stored->is_object() ? stored->get_object() : doc::Object();
  for (const auto& [key, document] : found_templates_) all.emplace(key, document);
  pending_fields_["storedTemplates"] = std::move(all);
  return std::move(found.templates);
}

}  // namespace tiphys::controllers
