// Argo's Java SDK as its generator makes it: each class of its API, told of the server by ARGO_HOST and ARGO_TOKEN.
import com.google.gson.TypeAdapter;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonWriter;
import io.argoproj.workflow.ApiClient;
import io.argoproj.workflow.ApiException;
import io.argoproj.workflow.Configuration;
import io.argoproj.workflow.apis.ArchivedWorkflowServiceApi;
import io.argoproj.workflow.apis.ArtifactServiceApi;
import io.argoproj.workflow.apis.ClusterWorkflowTemplateServiceApi;
import io.argoproj.workflow.apis.CronWorkflowServiceApi;
import io.argoproj.workflow.apis.EventServiceApi;
import io.argoproj.workflow.apis.EventSourceServiceApi;
import io.argoproj.workflow.apis.InfoServiceApi;
import io.argoproj.workflow.apis.SensorServiceApi;
import io.argoproj.workflow.apis.SyncServiceApi;
import io.argoproj.workflow.apis.WorkflowServiceApi;
import io.argoproj.workflow.apis.WorkflowTemplateServiceApi;
import io.argoproj.workflow.auth.ApiKeyAuth;
import io.argoproj.workflow.models.*;
import io.kubernetes.client.openapi.models.V1Container;
import io.kubernetes.client.openapi.models.V1ObjectMeta;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

public class ArgoSdk {
  static final String SPACE = "java";
  static final long PATIENCE = 120_000_000_000L;  // nanoseconds after which what does not come fails
  static final ApiClient client = Configuration.getDefaultApiClient();
  static final WorkflowServiceApi workflows = new WorkflowServiceApi(client);

  /** The SDK has its times as Instants, which Gson does not know. Its users give it this. */
  static class Times extends TypeAdapter<Instant> {
    @Override
    public void write(JsonWriter out, Instant time) throws IOException {
      out.value(time.toString());
    }

    @Override
    public Instant read(JsonReader in) throws IOException {
      return Instant.parse(in.nextString());
    }
  }

  interface Call {
    Object run() throws ApiException;
  }

  static void same(String what, Object got, Object expected) {
    if (!String.valueOf(got).equals(String.valueOf(expected))) throw new AssertionError(what + ": " + got + ", not " + expected);
  }

  static void refused(int code, Call call) {
    try {
      call.run();
    } catch (ApiException error) {
      same("the status of " + error.getResponseBody(), error.getCode(), code);
      return;
    }
    throw new AssertionError("it was not refused with " + code);
  }

  static V1ObjectMeta named(String name) {
    return new V1ObjectMeta().name(name).namespace(SPACE).labels(Map.of("made", "by-java"));
  }

  static IoArgoprojWorkflowV1alpha1Template shell(String script) {
    return new IoArgoprojWorkflowV1alpha1Template().name("main").container(new V1Container().image("none").command(List.of("sh", "-c", script)));
  }

  static IoArgoprojWorkflowV1alpha1WorkflowSpec spec(IoArgoprojWorkflowV1alpha1Template template) {
    return new IoArgoprojWorkflowV1alpha1WorkflowSpec().entrypoint("main").templates(List.of(template));
  }

  static IoArgoprojWorkflowV1alpha1WorkflowSpec greeting() {
    IoArgoprojWorkflowV1alpha1Arguments arguments =
        new IoArgoprojWorkflowV1alpha1Arguments().parameters(List.of(new IoArgoprojWorkflowV1alpha1Parameter().name("who").value("world")));
    return spec(shell("echo hello {{workflow.parameters.who}}")).arguments(arguments);
  }

  static IoArgoprojWorkflowV1alpha1Workflow create(String name, IoArgoprojWorkflowV1alpha1Template template) throws ApiException {
    IoArgoprojWorkflowV1alpha1Workflow workflow = new IoArgoprojWorkflowV1alpha1Workflow().metadata(named(name)).spec(spec(template));
    return workflows.workflowServiceCreateWorkflow(SPACE, new IoArgoprojWorkflowV1alpha1WorkflowCreateRequest().workflow(workflow));
  }

  static IoArgoprojWorkflowV1alpha1Workflow get(String name) throws ApiException {
    return workflows.workflowServiceGetWorkflow(SPACE, name, null, null, null);
  }

  /** The SDK's calls of streams return when these end, so that it has no way to follow a workflow but to ask again. */
  static IoArgoprojWorkflowV1alpha1Workflow await(String name, Predicate<IoArgoprojWorkflowV1alpha1Workflow> satisfied) throws Exception {
    long deadline = System.nanoTime() + PATIENCE;
    IoArgoprojWorkflowV1alpha1Workflow found = get(name);
    while (!satisfied.test(found)) {
      if (System.nanoTime() > deadline) throw new AssertionError(name + " is not as expected: " + found.getStatus());
      Thread.sleep(50);
      found = get(name);
    }
    return found;
  }

  static IoArgoprojWorkflowV1alpha1Workflow await(String name, String phase) throws Exception {
    return await(name, found -> phase.equals(found.getStatus().getPhase()));
  }

  static String logs(String name) throws ApiException {
    return workflows.workflowServiceWorkflowLogs(SPACE, name, null, "main", null, null, null, null, null, null, null, null, null, null, null, null)
        .getResult().getContent();
  }

  static void useWorkflows() throws Exception {
    create("hello", shell("echo hello"));
    refused(409, () -> create("hello", shell("true")));
    refused(404, () -> get("none"));
    IoArgoprojWorkflowV1alpha1Workflow invalid =
        new IoArgoprojWorkflowV1alpha1Workflow().metadata(named("invalid")).spec(spec(shell("true")).entrypoint("none"));
    refused(400, () -> workflows.workflowServiceLintWorkflow(SPACE, new IoArgoprojWorkflowV1alpha1WorkflowLintRequest().workflow(invalid)));
    await("hello", "Succeeded");
    same("what it says", logs("hello"), "hello");
    same("what its pod says", workflows.workflowServicePodLogs(SPACE, "hello", "hello", "main", null, null, null, null, null, null, null, null, null, null, null, null)
        .getResult().getContent(), "hello");
    List<IoArgoprojWorkflowV1alpha1Workflow> listed = workflows.workflowServiceListWorkflows(
        SPACE, "made=by-java", null, null, null, null, null, null, "10", null, null, null, null, null, null).getItems();
    same("how many are listed", listed.size(), 1);
    same("their first", listed.get(0).getMetadata().getName(), "hello");

    create("waits", new IoArgoprojWorkflowV1alpha1Template().name("main").suspend(new IoArgoprojWorkflowV1alpha1SuspendTemplate()));
    await("waits", "Running");
    workflows.workflowServiceSuspendWorkflow(SPACE, "waits", new IoArgoprojWorkflowV1alpha1WorkflowSuspendRequest());
    same("whether it is suspended", get("waits").getSpec().getSuspend(), true);
    workflows.workflowServiceSetWorkflow(SPACE, "waits",
        new IoArgoprojWorkflowV1alpha1WorkflowSetRequest().nodeFieldSelector("displayName=waits").message("told so"));
    workflows.workflowServiceResumeWorkflow(SPACE, "waits", new IoArgoprojWorkflowV1alpha1WorkflowResumeRequest());
    String message = await("waits", "Succeeded").getStatus().getNodes().values().iterator().next().getMessage();
    same("whether its node's message begins so: " + message, message.startsWith("told so; Resumed by: "), true);

    create("stops", new IoArgoprojWorkflowV1alpha1Template().name("main").suspend(new IoArgoprojWorkflowV1alpha1SuspendTemplate()));
    workflows.workflowServiceStopWorkflow(SPACE, "stops", new IoArgoprojWorkflowV1alpha1WorkflowStopRequest().message("enough"));
    await("stops", "Failed");
    create("terminates", new IoArgoprojWorkflowV1alpha1Template().name("main").suspend(new IoArgoprojWorkflowV1alpha1SuspendTemplate()));
    workflows.workflowServiceTerminateWorkflow(SPACE, "terminates", new IoArgoprojWorkflowV1alpha1WorkflowTerminateRequest());
    await("terminates", "Failed");

    create("fails", shell("exit 3"));
    await("fails", "Failed");
    workflows.workflowServiceRetryWorkflow(SPACE, "fails", new IoArgoprojWorkflowV1alpha1WorkflowRetryRequest());
    await("fails", "Failed");
    String again = workflows.workflowServiceResubmitWorkflow(SPACE, "hello", new IoArgoprojWorkflowV1alpha1WorkflowResubmitRequest()).getMetadata().getName();
    await(again, "Succeeded");
    workflows.workflowServiceDeleteWorkflow(SPACE, again, null, null, null, null, null, null, null, null);
    refused(404, () -> workflows.workflowServiceDeleteWorkflow(SPACE, again, null, null, null, null, null, null, null, null));
  }

  static void useArtifacts() throws Exception {
    IoArgoprojWorkflowV1alpha1Artifact text = new IoArgoprojWorkflowV1alpha1Artifact().name("text").path("/tmp/text")
        .archive(new IoArgoprojWorkflowV1alpha1ArchiveStrategy().none(new Object()));
    create("writes", shell("echo written > /tmp/text").outputs(new IoArgoprojWorkflowV1alpha1Outputs().artifacts(List.of(text))));
    String uid = await("writes", "Succeeded").getMetadata().getUid();
    ArtifactServiceApi artifacts = new ArtifactServiceApi(client);
    same("an artifact", Files.readString(artifacts.artifactServiceGetOutputArtifact(SPACE, "writes", "writes", "text").toPath()), "written\n");
    same("an artifact by uid", Files.readString(artifacts.artifactServiceGetOutputArtifactByUID(uid, "writes", "text").toPath()), "written\n");
    same("an artifact's file",
        Files.readString(artifacts.artifactServiceGetArtifactFile(SPACE, "workflows", "writes", "writes", "text", "outputs").toPath()), "written\n");
    refused(404, () -> artifacts.artifactServiceGetOutputArtifact(SPACE, "writes", "writes", "none"));
  }

  static void submit(String kind, String name) throws Exception {
    IoArgoprojWorkflowV1alpha1SubmitOpts options = new IoArgoprojWorkflowV1alpha1SubmitOpts().parameters(List.of("who=moon")).labels("submitted=yes");
    String made = workflows.workflowServiceSubmitWorkflow(SPACE,
        new IoArgoprojWorkflowV1alpha1WorkflowSubmitRequest().resourceKind(kind).resourceName(name).submitOptions(options)).getMetadata().getName();
    await(made, "Succeeded");
    same("what it says", logs(made), "hello moon");
  }

  static void useTemplates() throws Exception {
    WorkflowTemplateServiceApi templates = new WorkflowTemplateServiceApi(client);
    IoArgoprojWorkflowV1alpha1WorkflowTemplate template = new IoArgoprojWorkflowV1alpha1WorkflowTemplate().metadata(named("greet")).spec(greeting());
    templates.workflowTemplateServiceLintWorkflowTemplate(SPACE, new IoArgoprojWorkflowV1alpha1WorkflowTemplateLintRequest().template(template));
    IoArgoprojWorkflowV1alpha1WorkflowTemplate made = templates.workflowTemplateServiceCreateWorkflowTemplate(
        SPACE, new IoArgoprojWorkflowV1alpha1WorkflowTemplateCreateRequest().template(template));
    made.getMetadata().putLabelsItem("updated", "yes");
    templates.workflowTemplateServiceUpdateWorkflowTemplate(SPACE, "greet", new IoArgoprojWorkflowV1alpha1WorkflowTemplateUpdateRequest().template(made));
    same("its label", templates.workflowTemplateServiceGetWorkflowTemplate(SPACE, "greet", null).getMetadata().getLabels().get("updated"), "yes");
    same("how many are listed", templates.workflowTemplateServiceListWorkflowTemplates(
        SPACE, null, "updated=yes", null, null, null, null, null, null, null, null, null).getItems().size(), 1);
    submit("WorkflowTemplate", "greet");
    templates.workflowTemplateServiceDeleteWorkflowTemplate(SPACE, "greet", null, null, null, null, null, null, null);
    refused(404, () -> templates.workflowTemplateServiceGetWorkflowTemplate(SPACE, "greet", null));
  }

  static void useClusterTemplates() throws Exception {
    ClusterWorkflowTemplateServiceApi templates = new ClusterWorkflowTemplateServiceApi(client);
    IoArgoprojWorkflowV1alpha1ClusterWorkflowTemplate template =
        new IoArgoprojWorkflowV1alpha1ClusterWorkflowTemplate().metadata(new V1ObjectMeta().name("greet")).spec(greeting());
    templates.clusterWorkflowTemplateServiceLintClusterWorkflowTemplate(new IoArgoprojWorkflowV1alpha1ClusterWorkflowTemplateLintRequest().template(template));
    IoArgoprojWorkflowV1alpha1ClusterWorkflowTemplate made = templates.clusterWorkflowTemplateServiceCreateClusterWorkflowTemplate(
        new IoArgoprojWorkflowV1alpha1ClusterWorkflowTemplateCreateRequest().template(template));
    made.getMetadata().putLabelsItem("updated", "yes");
    templates.clusterWorkflowTemplateServiceUpdateClusterWorkflowTemplate("greet",
        new IoArgoprojWorkflowV1alpha1ClusterWorkflowTemplateUpdateRequest().template(made));
    same("its label", templates.clusterWorkflowTemplateServiceGetClusterWorkflowTemplate("greet", null).getMetadata().getLabels().get("updated"), "yes");
    same("how many are listed", templates.clusterWorkflowTemplateServiceListClusterWorkflowTemplates(
        "updated=yes", null, null, null, null, null, null, null, null, null).getItems().size(), 1);
    submit("ClusterWorkflowTemplate", "greet");
    templates.clusterWorkflowTemplateServiceDeleteClusterWorkflowTemplate("greet", null, null, null, null, null, null, null);
    refused(404, () -> templates.clusterWorkflowTemplateServiceGetClusterWorkflowTemplate("greet", null));
  }

  static void useCrons() throws Exception {
    CronWorkflowServiceApi crons = new CronWorkflowServiceApi(client);
    IoArgoprojWorkflowV1alpha1CronWorkflow cron = new IoArgoprojWorkflowV1alpha1CronWorkflow().metadata(named("yearly"))
        .spec(new IoArgoprojWorkflowV1alpha1CronWorkflowSpec().schedules(List.of("0 0 1 1 *")).workflowSpec(greeting()));
    crons.cronWorkflowServiceLintCronWorkflow(SPACE, new IoArgoprojWorkflowV1alpha1LintCronWorkflowRequest().cronWorkflow(cron));
    IoArgoprojWorkflowV1alpha1CronWorkflow made =
        crons.cronWorkflowServiceCreateCronWorkflow(SPACE, new IoArgoprojWorkflowV1alpha1CreateCronWorkflowRequest().cronWorkflow(cron));
    made.getMetadata().putLabelsItem("updated", "yes");
    crons.cronWorkflowServiceUpdateCronWorkflow(SPACE, "yearly", new IoArgoprojWorkflowV1alpha1UpdateCronWorkflowRequest().cronWorkflow(made));
    same("whether it is suspended",
        crons.cronWorkflowServiceSuspendCronWorkflow(SPACE, "yearly", new IoArgoprojWorkflowV1alpha1CronWorkflowSuspendRequest()).getSpec().getSuspend(), true);
    crons.cronWorkflowServiceResumeCronWorkflow(SPACE, "yearly", new IoArgoprojWorkflowV1alpha1CronWorkflowResumeRequest());
    same("its label", crons.cronWorkflowServiceGetCronWorkflow(SPACE, "yearly", null).getMetadata().getLabels().get("updated"), "yes");
    same("how many are listed",
        crons.cronWorkflowServiceListCronWorkflows(SPACE, "updated=yes", null, null, null, null, null, null, null, null, null).getItems().size(), 1);
    submit("CronWorkflow", "yearly");
    crons.cronWorkflowServiceDeleteCronWorkflow(SPACE, "yearly", null, null, null, null, null, null, null);
    refused(404, () -> crons.cronWorkflowServiceGetCronWorkflow(SPACE, "yearly", null));
  }

  static void useArchive() throws Exception {
    ArchivedWorkflowServiceApi archive = new ArchivedWorkflowServiceApi(client);
    create("kept", shell("exit 3"));
    String uid = await("kept", found -> "Archived".equals(found.getMetadata().getLabels().get("workflows.argoproj.io/workflow-archiving-status"))).getMetadata().getUid();
    same("how many are listed", archive.archivedWorkflowServiceListArchivedWorkflows(
        "made=by-java", null, null, null, null, null, null, null, null, null, "kep", SPACE, null).getItems().size(), 1);
    same("whether there is a key", archive.archivedWorkflowServiceListArchivedWorkflowLabelKeys(SPACE).getItems().contains("made"), true);
    same("its values", archive.archivedWorkflowServiceListArchivedWorkflowLabelValues(
        "made", null, null, null, null, null, null, null, null, null, SPACE).getItems(), "[by-java]");
    same("its name", archive.archivedWorkflowServiceGetArchivedWorkflow(uid, null, null).getMetadata().getName(), "kept");
    String again = archive.archivedWorkflowServiceResubmitArchivedWorkflow(
        uid, new IoArgoprojWorkflowV1alpha1ResubmitArchivedWorkflowRequest().name("kept").namespace(SPACE)).getMetadata().getName();
    await(again, "Failed");
    workflows.workflowServiceDeleteWorkflow(SPACE, "kept", null, null, null, null, null, null, null, null);
    archive.archivedWorkflowServiceRetryArchivedWorkflow(uid, new IoArgoprojWorkflowV1alpha1RetryArchivedWorkflowRequest().name("kept").namespace(SPACE));
    await("kept", "Failed");
    archive.archivedWorkflowServiceDeleteArchivedWorkflow(uid, null, null);
    refused(404, () -> archive.archivedWorkflowServiceGetArchivedWorkflow(uid, null, null));
  }

  static void useLimits() throws Exception {
    SyncServiceApi limits = new SyncServiceApi(client);
    limits.syncServiceCreateSyncLimit(SPACE, new SyncCreateSyncLimitRequest().cmName("limits").key("doors").limit(2));
    limits.syncServiceUpdateSyncLimit(SPACE, "doors", new SyncUpdateSyncLimitRequest().cmName("limits").limit(3));
    same("its limit", limits.syncServiceGetSyncLimit(SPACE, "doors", "CONFIGMAP", "limits").getLimit(), 3);
    limits.syncServiceDeleteSyncLimit(SPACE, "doors", "CONFIGMAP", "limits");
    refused(404, () -> limits.syncServiceGetSyncLimit(SPACE, "doors", "CONFIGMAP", "limits"));
  }

  static void useEvents() throws Exception {
    EventServiceApi events = new EventServiceApi(client);
    events.eventServiceReceiveEvent(SPACE, "nobody", Map.of("a", List.of(1, "b")));
    List<?> bindings = events.eventServiceListWorkflowEventBindings(SPACE, null, null, null, null, null, null, null, null, null, null).getItems();
    same("whether there are bindings", bindings != null && !bindings.isEmpty(), false);
    EventSourceServiceApi sources = new EventSourceServiceApi(client);
    sources.eventSourceServiceCreateEventSource(SPACE, new EventsourceCreateEventSourceRequest().eventSource(
        new GithubComArgoprojArgoEventsPkgApisEventsV1alpha1EventSource().metadata(named("clock")).spec(new GithubComArgoprojArgoEventsPkgApisEventsV1alpha1EventSourceSpec())));
    same("a source", sources.eventSourceServiceGetEventSource(SPACE, "clock").getMetadata().getName(), "clock");
    sources.eventSourceServiceDeleteEventSource(SPACE, "clock", null, null, null, null, null, null, null);
    SensorServiceApi sensors = new SensorServiceApi(client);
    sensors.sensorServiceCreateSensor(SPACE, new SensorCreateSensorRequest().sensor(
        new GithubComArgoprojArgoEventsPkgApisEventsV1alpha1Sensor().metadata(named("begins")).spec(new GithubComArgoprojArgoEventsPkgApisEventsV1alpha1SensorSpec())));
    same("a sensor", sensors.sensorServiceGetSensor(SPACE, "begins", null).getMetadata().getName(), "begins");
    sensors.sensorServiceDeleteSensor(SPACE, "begins", null, null, null, null, null, null, null);
    refused(404, () -> sensors.sensorServiceGetSensor(SPACE, "begins", null));
  }

  static void useInfo() throws Exception {
    InfoServiceApi info = new InfoServiceApi(client);
    same("whether it has a version", info.infoServiceGetVersion().getVersion().isEmpty(), false);
    info.infoServiceGetInfo();
    info.infoServiceGetUserInfo();
    info.infoServiceCollectEvent(new IoArgoprojWorkflowV1alpha1CollectEventRequest().name("openedWorkflowList"));
  }

  public static void main(String[] arguments) throws Exception {
    client.getJSON().setGson(client.getJSON().getGson().newBuilder().registerTypeAdapter(Instant.class, new Times().nullSafe()).create());
    client.setBasePath(System.getenv("ARGO_HOST"));
    ApiKeyAuth token = (ApiKeyAuth) client.getAuthentication("BearerToken");
    token.setApiKey("Bearer false");
    refused(401, () -> get("hello"));
    token.setApiKey(System.getenv("ARGO_TOKEN"));
    useWorkflows();
    useArtifacts();
    useTemplates();
    useClusterTemplates();
    useCrons();
    useArchive();
    useLimits();
    useEvents();
    useInfo();
    System.out.println("done");
  }
}
