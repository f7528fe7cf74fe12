#include "api/synchronization.h"

#include <fmt/format.h>

#include "api/fields.h"

namespace tiphys::api {
namespace {

constexpr const char* kOwnDatabase = "No other controller shares it.";

constexpr Field<SemaphoreRef::ConfigMapKey> kConfigMapKeyFields[] = {
    field<&SemaphoreRef::ConfigMapKey::name>("name", "The ConfigMap's name."),
    field<&SemaphoreRef::ConfigMapKey::key>("key", "Its key whose value is the limit, a whole number."),
    {"optional", Handling::kRead, check_as<bool>, "Not used.", &kBoolean},
};
constexpr FieldTable kConfigMapKeyTable("SemaphoreConfigMapKey", kConfigMapKeyFields);

constexpr Field<SemaphoreRef> kDatabaseFields[] = {
    field<&SemaphoreRef::database_key>("key", "The limit's name at `tiphys sync create`.", "test_the_sync_commands"),
};
constexpr FieldTable kDatabaseTable("SyncDatabaseRef", kDatabaseFields);

constexpr Field<SemaphoreRef> kSemaphoreFields[] = {
    {"configMapKeyRef", Handling::kRead,
     [](const Place& place, SemaphoreRef& out) {
       read_object<SemaphoreRef::ConfigMapKey>(place, out.config_map_key.emplace(), kConfigMapKeyFields);
     },
     "The limit stands in a ConfigMap.", &kObject<kConfigMapKeyTable>, "LocksTest.AChangeOfTheLimitCountsAtOnce",
     "A change of the limit counts at once; there it does when somebody asks or gives back."},
    field<&SemaphoreRef::ns>("namespace", "Of the semaphore and its ConfigMap; without it, the workflow's.",
                             "Locks.Rules"),
    {"database", Handling::kRead,
     [](const Place& place, SemaphoreRef& out) {
       out.database_key.emplace();
       read_object<SemaphoreRef>(place, out, kDatabaseFields);
     },
     "The limit stands in the plane's database.", &kObject<kDatabaseTable>,
     "LocksTest.DatabaseSemaphoresHaveSyncLimits", kOwnDatabase},
};
constexpr FieldTable kSemaphoreTable("SemaphoreRef", kSemaphoreFields);

constexpr Field<Mutex> kMutexFields[] = {
    field<&Mutex::name>("name", "Who names the same mutex waits for the other's end.",
                        "LockedWorkflowsTest.TheStatusSaysWhatIsHeldAndAwaited"),
    field<&Mutex::ns>("namespace", "Of the mutex; without it, the workflow's.", "Locks.Rules"),
    deviating(
        field<&Mutex::database>("database", "It is one of the plane's database, which is another than one that is not.",
                                "LockTable.MessagesOfTheDatabase"),
        kOwnDatabase),
};
constexpr FieldTable kMutexTable("Mutex", kMutexFields);

void read(const Place& place, SemaphoreRef& out) {
  read_object<SemaphoreRef>(place, out, kSemaphoreFields);
}

void read(const Place& place, Mutex& out) {
  read_object<Mutex>(place, out, kMutexFields);
}

template <typename T>
void read_each(const Place& place, std::vector<T>& out) {
  if (!expect_array(place)) return;
  const doc::Array& array = place.value().get_array();
  for (std::size_t i = 0; i < array.size(); ++i) read(place.element(i, array[i]), out.emplace_back());
}

/// Before version 4 there was one of each.
template <bool semaphore>
void refuse_singular(const Place& place, Synchronization&) {
  place.key_error(fmt::format("{} is no longer a field: write a list, \"{}:\" with \"- {}\" below it", place.name(),
                              semaphore ? "semaphores" : "mutexes", semaphore ? "configMapKeyRef: ..." : "name: ..."));
}

constexpr Field<Synchronization> kSynchronizationFields[] = {
    {"semaphores", Handling::kRead, [](const Place& place, Synchronization& out) { read_each(place, out.semaphores); },
     "As many holders at the same time as a limit says.", &kObject<kSemaphoreTable, Shape::Around::kList>,
     "LocksTest.ASemaphoreHasAsManyHoldersAsTheConfigMapSays"},
    {"mutexes", Handling::kRead, [](const Place& place, Synchronization& out) { read_each(place, out.mutexes); },
     "One holder at a time.", &kObject<kMutexTable, Shape::Around::kList>,
     "LockTable.OneAtATimeInOrderOfPriorityThenAgeThenName"},
    {"semaphore", Handling::kRead, refuse_singular<true>, "No longer a field: `semaphores` is.", &kEmptyObject},
    {"mutex", Handling::kRead, refuse_singular<false>, "No longer a field: `mutexes` is.", &kEmptyObject},
};

doc::Array documents(const std::vector<SynchronizationStatus::Semaphore>& semaphores) {
  doc::Array list;
  for (const auto& each : semaphores) {
    doc::Object entry{{"semaphore", each.name}};
    if (!each.holders.empty()) {
      doc::Array holders;
      for (const std::string& holder : each.holders) holders.emplace_back(std::string_view(holder));
      entry.emplace("holders", std::move(holders));
    }
    list.push_back(std::move(entry));
  }
  return list;
}

doc::Array documents(const std::vector<SynchronizationStatus::Mutex>& mutexes) {
  doc::Array list;
  for (const auto& each : mutexes) list.push_back(doc::Object{{"mutex", each.name}, {"holder", each.holder}});
  return list;
}

template <typename T>
void put(doc::Object& status, std::string_view name, const std::vector<T>& held, const std::vector<T>& awaited) {
  if (held.empty() && awaited.empty()) return;
  doc::Object both;
  if (!held.empty()) both.emplace("holding", documents(held));
  if (!awaited.empty()) both.emplace("waiting", documents(awaited));
  status.emplace(name, std::move(both));
}

Status parse(const doc::Value& entry, SynchronizationStatus::Semaphore& out) {
  out.name = doc::find_string(entry, "semaphore");
  const doc::Value* holders = doc::find(entry, "holders");
  if (!holders || !holders->is_array()) return {};
  for (const doc::Value& holder : holders->get_array()) {
    if (!holder.is_string()) return fail(Code::kDataLoss, "a holder of a semaphore is no string");
    out.holders.emplace_back(std::string_view(holder.get_string()));
  }
  return {};
}

Status parse(const doc::Value& entry, SynchronizationStatus::Mutex& out) {
  out.name = doc::find_string(entry, "mutex");
  out.holder = doc::find_string(entry, "holder");
  return {};
}

template <typename T>
Status parse_list(const doc::Value* list, std::vector<T>& out) {
  if (!list || !list->is_array()) return {};
  for (const doc::Value& entry : list->get_array()) TIPHYS_CHECK_OK(parse(entry, out.emplace_back()));
  return {};
}

}  // namespace

constexpr FieldTable kSynchronizationTable("Synchronization", kSynchronizationFields);

bool SemaphoreRef::operator==(const SemaphoreRef& other) const {
  const auto same_key = [&] {
    if (config_map_key.has_value() != other.config_map_key.has_value()) return false;
    return !config_map_key ||
           (config_map_key->name == other.config_map_key->name && config_map_key->key == other.config_map_key->key);
  };
  return ns == other.ns && database_key == other.database_key && same_key();
}

void read(const Place& place, Synchronization& out) {
  read_object<Synchronization>(place, out, kSynchronizationFields);
}

doc::Value to_document(const SynchronizationStatus& status) {
  doc::Object object;
  put(object, "semaphore", status.semaphores_held, status.semaphores_awaited);
  put(object, "mutex", status.mutexes_held, status.mutexes_awaited);
  return object;
}

Result<SynchronizationStatus> parse_synchronization_status(const doc::Value& value) {
  SynchronizationStatus status;
  TIPHYS_CHECK_OK(parse_list(doc::find(value, "semaphore", "holding"), status.semaphores_held));
  TIPHYS_CHECK_OK(parse_list(doc::find(value, "semaphore", "waiting"), status.semaphores_awaited));
  TIPHYS_CHECK_OK(parse_list(doc::find(value, "mutex", "holding"), status.mutexes_held));
  TIPHYS_CHECK_OK(parse_list(doc::find(value, "mutex", "waiting"), status.mutexes_awaited));
  return status;
}

}  // namespace tiphys::api
