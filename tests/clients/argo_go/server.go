package main

import (
	"context"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/argoproj/argo-workflows/v4/pkg/apiclient"
	eventpkg "github.com/argoproj/argo-workflows/v4/pkg/apiclient/event"
	sourcepkg "github.com/argoproj/argo-workflows/v4/pkg/apiclient/eventsource"
	infopkg "github.com/argoproj/argo-workflows/v4/pkg/apiclient/info"
	sensorpkg "github.com/argoproj/argo-workflows/v4/pkg/apiclient/sensor"
	syncpkg "github.com/argoproj/argo-workflows/v4/pkg/apiclient/sync"
	workflowpkg "github.com/argoproj/argo-workflows/v4/pkg/apiclient/workflow"
	archivepkg "github.com/argoproj/argo-workflows/v4/pkg/apiclient/workflowarchive"
	wfv1 "github.com/argoproj/argo-workflows/v4/pkg/apis/workflow/v1alpha1"
)

func useLimits(ctx context.Context, client apiclient.Client, namespace string) {
	service := must(client.NewSyncServiceClient(ctx))
	made := must(service.CreateSyncLimit(ctx, &syncpkg.CreateSyncLimitRequest{Namespace: namespace, CmName: "limits", Key: "doors", Limit: 2}))
	same("its key", made.Key, "doors")
	refused[*syncpkg.SyncLimitResponse](codes.AlreadyExists)(service.CreateSyncLimit(ctx, &syncpkg.CreateSyncLimitRequest{Namespace: namespace, CmName: "limits", Key: "doors", Limit: 2}))
	must(service.UpdateSyncLimit(ctx, &syncpkg.UpdateSyncLimitRequest{Namespace: namespace, CmName: "limits", Key: "doors", Limit: 3}))
	get := &syncpkg.GetSyncLimitRequest{Namespace: namespace, CmName: "limits", Key: "doors"}
	same("its limit", must(service.GetSyncLimit(ctx, get)).Limit, 3)
	must(service.DeleteSyncLimit(ctx, &syncpkg.DeleteSyncLimitRequest{Namespace: namespace, CmName: "limits", Key: "doors"}))
	refused[*syncpkg.SyncLimitResponse](codes.NotFound)(service.GetSyncLimit(ctx, get))
}

func useInfo(ctx context.Context, client apiclient.Client) {
	service := must(client.NewInfoServiceClient())
	if must(service.GetVersion(ctx, &infopkg.GetVersionRequest{})).Version == "" {
		panic("it has no version")
	}
	must(service.GetInfo(ctx, &infopkg.GetInfoRequest{}))
	must(service.GetUserInfo(ctx, &infopkg.GetUserInfoRequest{}))
	must(service.CollectEvent(ctx, &infopkg.CollectEventRequest{Name: "openedWorkflowList"}))
}

func useArchive(ctx context.Context, client apiclient.Client, namespace string) {
	workflows, service := client.NewWorkflowServiceClient(ctx), must(client.NewArchivedWorkflowServiceClient())
	failing := workflow("kept", shell("main", "exit {{workflow.parameters.code}}"))
	failing.Labels["kept"] = "yes"
	failing.Spec.Arguments.Parameters = []wfv1.Parameter{{Name: "code", Value: wfv1.AnyStringPtr("3")}}
	uid := string(must(workflows.CreateWorkflow(ctx, &workflowpkg.WorkflowCreateRequest{Namespace: namespace, Workflow: failing})).UID)
	await(ctx, workflows, namespace, "kept", func(workflow *wfv1.Workflow) bool {
		return workflow.Labels["workflows.argoproj.io/workflow-archiving-status"] == "Archived"
	})
	selector := &metav1.ListOptions{LabelSelector: "kept=yes"}
	listed := must(service.ListArchivedWorkflows(ctx, &archivepkg.ListArchivedWorkflowsRequest{Namespace: namespace, ListOptions: selector, NamePrefix: "kep"}))
	same("those that are archived", len(listed.Items), 1)
	same("its uid", listed.Items[0].UID, uid)
	keys := must(service.ListArchivedWorkflowLabelKeys(ctx, &archivepkg.ListArchivedWorkflowLabelKeysRequest{Namespace: namespace}))
	same("whether there is the key", contains(keys.Items, "kept"), true)
	values := must(service.ListArchivedWorkflowLabelValues(ctx, &archivepkg.ListArchivedWorkflowLabelValuesRequest{Namespace: namespace, ListOptions: &metav1.ListOptions{LabelSelector: "kept"}}))
	same("the key's values", values.Items, "[yes]")
	same("its name", must(service.GetArchivedWorkflow(ctx, &archivepkg.GetArchivedWorkflowRequest{Uid: uid})).Name, "kept")
	same("its name", must(service.GetArchivedWorkflow(ctx, &archivepkg.GetArchivedWorkflowRequest{Namespace: namespace, Name: "kept"})).Name, "kept")

	again := must(service.ResubmitArchivedWorkflow(ctx, &archivepkg.ResubmitArchivedWorkflowRequest{Uid: uid, Name: "kept", Namespace: namespace, Parameters: []string{"code=0"}}))
	await(ctx, workflows, namespace, again.Name, hasPhase(wfv1.WorkflowSucceeded))
	must(workflows.DeleteWorkflow(ctx, &workflowpkg.WorkflowDeleteRequest{Namespace: namespace, Name: "kept"}))
	must(service.RetryArchivedWorkflow(ctx, &archivepkg.RetryArchivedWorkflowRequest{Uid: uid, Name: "kept", Namespace: namespace, Parameters: []string{"code=0"}}))
	await(ctx, workflows, namespace, "kept", hasPhase(wfv1.WorkflowSucceeded))
	must(service.DeleteArchivedWorkflow(ctx, &archivepkg.DeleteArchivedWorkflowRequest{Uid: uid}))
	refused[*wfv1.Workflow](codes.NotFound)(service.GetArchivedWorkflow(ctx, &archivepkg.GetArchivedWorkflowRequest{Uid: uid}))
}

func contains(values []string, value string) bool {
	for _, each := range values {
		if each == value {
			return true
		}
	}
	return false
}

// beRefused asks without a token that is known.
func beRefused(how string) {
	false_ := options(how)
	false_.AuthSupplier = func() string { return "Bearer false" }
	ctx, client, err := apiclient.NewClientFromOptsWithContext(context.Background(), false_)
	check(err)
	refused[*wfv1.WorkflowList](codes.Unauthenticated)(client.NewWorkflowServiceClient(ctx).ListWorkflows(ctx, &workflowpkg.WorkflowListRequest{Namespace: "default"}))
}

func useEvents(ctx context.Context, namespace string) {
	connection := must(grpc.NewClient(os.Getenv("ARGO_SERVER"), grpc.WithTransportCredentials(insecure.NewCredentials())))
	defer connection.Close()
	events := eventpkg.NewEventServiceClient(connection)
	same("bindings", len(must(events.ListWorkflowEventBindings(ctx, &eventpkg.ListWorkflowEventBindingsRequest{Namespace: namespace})).Items), 0)
	must(events.ReceiveEvent(ctx, &eventpkg.EventRequest{Namespace: namespace, Discriminator: "nobody", Payload: &wfv1.Item{Value: []byte(`{"a": [1, "b"]}`)}}))
	sources := sourcepkg.NewEventSourceServiceClient(connection)
	same("sources of events", len(must(sources.ListEventSources(ctx, &sourcepkg.ListEventSourcesRequest{Namespace: namespace})).Items), 0)
	_, err := sources.GetEventSource(ctx, &sourcepkg.GetEventSourceRequest{Namespace: namespace, Name: "none"})
	refused[any](codes.NotFound)(nil, err)
	sensors := sensorpkg.NewSensorServiceClient(connection)
	same("sensors", len(must(sensors.ListSensors(ctx, &sensorpkg.ListSensorsRequest{Namespace: namespace})).Items), 0)
	_, err = sensors.GetSensor(ctx, &sensorpkg.GetSensorRequest{Namespace: namespace, Name: "none"})
	refused[any](codes.NotFound)(nil, err)
}
