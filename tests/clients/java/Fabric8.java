// Fabric8's client as programs on the JVM use it: typed objects, patches, watches, informers, logs, exec, and workflows as generic resources.
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.GenericKubernetesResourceList;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.Watch;
import io.fabric8.kubernetes.client.Watcher;
import io.fabric8.kubernetes.client.WatcherException;
import io.fabric8.kubernetes.client.dsl.ExecWatch;
import io.fabric8.kubernetes.client.dsl.MixedOperation;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

public class Fabric8 {
  static final String SPACE = "default";
  static final int PATIENCE = 120;  // seconds after which what does not come fails
  static KubernetesClient client;

  static void check(boolean good, Object what) {
    if (!good) throw new AssertionError(what);
  }

  /** The code of the refusal that the call ends with. */
  static int refusal(Runnable call) {
    try {
      call.run();
    } catch (KubernetesClientException refused) {
      return refused.getCode();
    }
    return 0;
  }

  static String next(BlockingQueue<String> events) throws Exception {
    String event = events.poll(PATIENCE, TimeUnit.SECONDS);
    check(event != null, "an event that does not come");
    return event;
  }

  static ConfigMap map(String name, String value) {
    return new ConfigMapBuilder().withNewMetadata().withName(name).addToLabels("app", "java").endMetadata().addToData("key", value).build();
  }

  static Resource<ConfigMap> maps(String name) {
    return client.configMaps().inNamespace(SPACE).withName(name);
  }

  static void objects() {
    check(client.getKubernetesVersion().getMinor().equals("34"), client.getKubernetesVersion());
    ConfigMap made = client.configMaps().inNamespace(SPACE).resource(map("a", "1")).create();
    check(made.getMetadata().getUid() != null, made);
    check(refusal(() -> client.configMaps().inNamespace(SPACE).resource(map("a", "1")).create()) == 409, "it exists");
    check(maps("none").get() == null, "there is none");
    check(maps("a").get().getData().equals(Map.of("key", "1")), "as it was made");
    client.configMaps().inNamespace(SPACE).resource(map("b", "2")).create();
    check(client.configMaps().inNamespace(SPACE).withLabel("app", "java").list().getItems().size() == 2, "both");
    check(client.configMaps().inAnyNamespace().withField("metadata.name", "b").list().getItems().size() == 1, "one");
    check(client.configMaps().inNamespace(SPACE).withLabel("app", "none").list().getItems().isEmpty(), "none");
    check(maps("b").delete().size() == 1 && maps("b").get() == null, "it has gone");
    check(maps("b").delete().isEmpty(), "nothing to delete");
  }

  static void patches() {
    ConfigMap edited = maps("a").edit(found -> new ConfigMapBuilder(found).addToData("json", "patch").build());
    check(edited.getData().get("json").equals("patch"), edited);
    ConfigMap merged = maps("a").patch(PatchContext.of(PatchType.JSON_MERGE), "{\"data\":{\"merge\":\"1\",\"json\":null}}");
    check(merged.getData().equals(Map.of("key", "1", "merge", "1")), merged);
    ConfigMap strategic = maps("a").patch(PatchContext.of(PatchType.STRATEGIC_MERGE), "{\"metadata\":{\"labels\":{\"more\":\"x\"}}}");
    check(strategic.getMetadata().getLabels().equals(Map.of("app", "java", "more", "x")), strategic);
    ConfigMap wanted = new ConfigMapBuilder().withNewMetadata().withName("a").endMetadata().addToData("applied", "1").build();
    ConfigMap applied = client.configMaps().inNamespace(SPACE).resource(wanted).fieldManager("java").serverSideApply();
    check(applied.getData().get("applied").equals("1") && applied.getData().get("key").equals("1"), applied);
    ConfigMap rival = new ConfigMapBuilder(wanted).addToData("applied", "2").build();
    check(refusal(() -> client.configMaps().inNamespace(SPACE).resource(rival).fieldManager("rival").serverSideApply()) == 409, "a conflict");
    applied = client.configMaps().inNamespace(SPACE).resource(rival).fieldManager("rival").forceConflicts().serverSideApply();
    check(applied.getData().get("applied").equals("2"), applied);
    ConfigMap stale = new ConfigMapBuilder(applied).editMetadata().withResourceVersion("1").endMetadata().build();
    check(refusal(() -> client.configMaps().inNamespace(SPACE).resource(stale).lockResourceVersion("1").update()) == 409, "another version");
  }

  static void watches() throws Exception {
    BlockingQueue<String> events = new LinkedBlockingQueue<>();
    Watcher<ConfigMap> watcher = new Watcher<>() {
      @Override
      public void eventReceived(Action action, ConfigMap found) {
        if (found != null) events.add(action + " " + found.getMetadata().getName());
      }
      @Override
      public void onClose(WatcherException cause) {
        events.add("closed " + cause);
      }
    };
    String now = client.configMaps().inNamespace(SPACE).list().getMetadata().getResourceVersion();
    try (Watch watch = client.configMaps().inNamespace(SPACE).withLabel("app", "java").withResourceVersion(now).watch(watcher)) {
      client.configMaps().inNamespace(SPACE).resource(map("w", "1")).create();
      maps("w").patch(PatchContext.of(PatchType.JSON_MERGE), "{\"data\":{\"key\":\"2\"}}");
      maps("w").delete();
      for (String expected : new String[] {"ADDED w", "MODIFIED w", "DELETED w"}) {
        String event = next(events);
        check(event.equals(expected), event);
      }
    }
  }

  static void informers() throws Exception {
    BlockingQueue<String> events = new LinkedBlockingQueue<>();
    ResourceEventHandler<ConfigMap> handler = new ResourceEventHandler<>() {
      @Override
      public void onAdd(ConfigMap found) {
        events.add("add " + found.getMetadata().getName());
      }
      @Override
      public void onUpdate(ConfigMap before, ConfigMap after) {
        events.add("update " + after.getMetadata().getName() + " " + before.getData().get("key") + after.getData().get("key"));
      }
      @Override
      public void onDelete(ConfigMap found, boolean unknown) {
        events.add("delete " + found.getMetadata().getName());
      }
    };
    try (SharedIndexInformer<ConfigMap> informer = client.configMaps().inNamespace(SPACE).withLabel("app", "java").inform(handler)) {
      check(next(events).equals("add a") && informer.hasSynced(), "what is there");
      client.configMaps().inNamespace(SPACE).resource(map("i", "1")).create();
      check(next(events).equals("add i"), "what comes");
      maps("i").patch(PatchContext.of(PatchType.JSON_MERGE), "{\"data\":{\"key\":\"2\"}}");
      check(next(events).equals("update i 12"), "what changes");
      check(informer.getStore().list().size() == 2, informer.getStore().list());
      maps("i").delete();
      check(next(events).equals("delete i"), "what goes");
    }
  }

  static Pod pod(String name, String script) {
    return new PodBuilder().withNewMetadata().withName(name).endMetadata().withNewSpec().withRestartPolicy("Never").addNewContainer().withName("main").withImage("busybox")
        .withCommand("sh", "-c", script).endContainer().endSpec().build();
  }

  static void pods() throws Exception {
    client.pods().inNamespace(SPACE).resource(pod("says", "echo hello; echo again >&2")).create();
    Pod ended = client.pods().inNamespace(SPACE).withName("says").waitUntilCondition(found -> found != null && "Succeeded".equals(found.getStatus().getPhase()), PATIENCE, TimeUnit.SECONDS);
    check(ended.getStatus().getContainerStatuses().get(0).getState().getTerminated().getExitCode() == 0, ended);
    String log = client.pods().inNamespace(SPACE).withName("says").inContainer("main").getLog();
    check(log.contains("hello\n") && log.contains("again\n"), log);

    client.pods().inNamespace(SPACE).resource(pod("stays", "sleep 1000")).create();
    client.pods().inNamespace(SPACE).withName("stays").waitUntilReady(PATIENCE, TimeUnit.SECONDS);
    ByteArrayOutputStream out = new ByteArrayOutputStream(), errors = new ByteArrayOutputStream();
    try (ExecWatch running = client.pods().inNamespace(SPACE).withName("stays").writingOutput(out).writingError(errors).exec("sh", "-c", "echo inside; echo wrong >&2; exit 3")) {
      int code = running.exitCode().get(PATIENCE, TimeUnit.SECONDS);
      check(code == 3 && out.toString().equals("inside\n") && errors.toString().equals("wrong\n"), code + out.toString() + errors);
    }
    client.pods().inNamespace(SPACE).withName("stays").withGracePeriod(0).delete();
  }

  static void workloads() {
    Job job = new JobBuilder().withNewMetadata().withName("job").endMetadata().withNewSpec().withNewTemplate().withSpec(pod("x", "exit 0").getSpec()).endTemplate().endSpec().build();
    client.batch().v1().jobs().inNamespace(SPACE).resource(job).create();
    client.batch().v1().jobs().inNamespace(SPACE).withName("job").waitUntilCondition(
        found -> found != null && found.getStatus() != null && Integer.valueOf(1).equals(found.getStatus().getSucceeded()), PATIENCE, TimeUnit.SECONDS);
    Deployment deployment = new DeploymentBuilder().withNewMetadata().withName("d").endMetadata().withNewSpec().withReplicas(1).withNewSelector().addToMatchLabels("d", "d").endSelector()
        .withNewTemplate().withNewMetadata().addToLabels("d", "d").endMetadata().withNewSpec().addNewContainer().withName("main").withImage("busybox")
        .withCommand("sleep", "1000").endContainer().endSpec().endTemplate().endSpec().build();
    client.apps().deployments().inNamespace(SPACE).resource(deployment).create();
    client.apps().deployments().inNamespace(SPACE).withName("d").waitUntilReady(PATIENCE, TimeUnit.SECONDS);
    check(client.apps().deployments().inNamespace(SPACE).withName("d").scale(2).getSpec().getReplicas() == 2, "scaled");
    client.apps().deployments().inNamespace(SPACE).withName("d").delete();
  }

  static void workflows() {
    MixedOperation<GenericKubernetesResource, GenericKubernetesResourceList, Resource<GenericKubernetesResource>> workflows = client.genericKubernetesResources("argoproj.io/v1alpha1", "Workflow");
    String text = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: wf, namespace: default}\nspec: {entrypoint: main, arguments: {parameters: [{name: who, value: world}]},"
        + " templates: [{name: main, container: {image: busybox, command: [echo, 'hello {{workflow.parameters.who}}']}}]}\n";
    client.resource(client.load(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8))).items().get(0)).create();
    GenericKubernetesResource ended = workflows.inNamespace(SPACE).withName("wf").waitUntilCondition(
        found -> found != null && "Succeeded".equals(found.get("status", "phase")), PATIENCE, TimeUnit.SECONDS);
    check(ended.get("spec", "entrypoint").equals("main"), ended);
    String name = client.pods().inNamespace(SPACE).withLabel("workflows.argoproj.io/workflow", "wf").list().getItems().get(0).getMetadata().getName();
    check(client.pods().inNamespace(SPACE).withName(name).inContainer("main").getLog().contains("hello world"), name);
    check(workflows.inNamespace(SPACE).list().getItems().size() == 1, "one");
    workflows.inNamespace(SPACE).withName("wf").edit(found -> {
      found.getMetadata().setLabels(Map.of("seen", "yes"));
      return found;
    });
    check(workflows.inNamespace(SPACE).withLabel("seen", "yes").list().getItems().size() == 1, "edited");
    check(workflows.inNamespace(SPACE).withName("wf").delete().size() == 1, "deleted");
  }

  public static void main(String[] arguments) throws Exception {
    try (KubernetesClient made = new KubernetesClientBuilder().build()) {
      client = made;
      objects();
      patches();
      watches();
      informers();
      pods();
      workloads();
      workflows();
    }
    System.out.println("done");
  }
}
