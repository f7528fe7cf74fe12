package main

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc/codes"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/argoproj/argo-workflows/v4/pkg/apiclient"
	workflowpkg "github.com/argoproj/argo-workflows/v4/pkg/apiclient/workflow"
	wfv1 "github.com/argoproj/argo-workflows/v4/pkg/apis/workflow/v1alpha1"
)

// await follows a workflow until it satisfies.
func await(ctx context.Context, service workflowpkg.WorkflowServiceClient, namespace, name string, satisfies func(*wfv1.Workflow) bool) *wfv1.Workflow {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	request := &workflowpkg.WatchWorkflowsRequest{Namespace: namespace, ListOptions: &metav1.ListOptions{FieldSelector: "metadata.name=" + name, ResourceVersion: "0"}}
	stream := must(service.WatchWorkflows(ctx, request))
	for {
		event := must(stream.Recv())
		if event.Object != nil && event.Object.Name == name && satisfies(event.Object) {
			return event.Object
		}
	}
}

func hasPhase(phase wfv1.WorkflowPhase) func(*wfv1.Workflow) bool {
	return func(workflow *wfv1.Workflow) bool { return workflow.Status.Phase == phase }
}

func linesOf(stream interface {
	Recv() (*workflowpkg.LogEntry, error)
}) []string {
	var lines []string
	for {
		entry, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return lines
		}
		lines = append(lines, must(entry, err).Content)
	}
}

// useWorkflows makes them, reads them and reads their logs.
func useWorkflows(ctx context.Context, client apiclient.Client, namespace string) {
	service := client.NewWorkflowServiceClient(ctx)
	hello := workflow("hello", shell("main", "echo one; echo two"))
	checked := must(service.LintWorkflow(ctx, &workflowpkg.WorkflowLintRequest{Namespace: namespace, Workflow: hello}))
	same("what was linted", checked.Spec.Entrypoint, "main")
	invalid := workflow("wrong", shell("main", "true"))
	invalid.Spec.Entrypoint = "none"
	refused[*wfv1.Workflow](wrong())(service.LintWorkflow(ctx, &workflowpkg.WorkflowLintRequest{Namespace: namespace, Workflow: invalid}))
	refused[*wfv1.Workflow](codes.InvalidArgument)(service.CreateWorkflow(ctx, &workflowpkg.WorkflowCreateRequest{Namespace: namespace, Workflow: invalid}))

	dry := must(service.CreateWorkflow(ctx, &workflowpkg.WorkflowCreateRequest{Namespace: namespace, Workflow: hello.DeepCopy(), ServerDryRun: true,
		CreateOptions: &metav1.CreateOptions{DryRun: []string{"All"}}}))
	same("the name of a dry run", dry.Name, "hello")
	get := &workflowpkg.WorkflowGetRequest{Namespace: namespace, Name: "hello"}
	refused[*wfv1.Workflow](codes.NotFound)(service.GetWorkflow(ctx, get))
	created := must(service.CreateWorkflow(ctx, &workflowpkg.WorkflowCreateRequest{Namespace: namespace, Workflow: hello.DeepCopy()}))
	same("its namespace", created.Namespace, namespace)
	refused[*wfv1.Workflow](codes.AlreadyExists)(service.CreateWorkflow(ctx, &workflowpkg.WorkflowCreateRequest{Namespace: namespace, Workflow: hello.DeepCopy()}))
	ended := await(ctx, service, namespace, "hello", hasPhase(wfv1.WorkflowSucceeded))
	same("its uid", ended.UID, created.UID)
	same("its nodes", len(ended.Status.Nodes), 1)

	found := must(service.GetWorkflow(ctx, get))
	same("its phase", found.Status.Phase, wfv1.WorkflowSucceeded)
	same("it has ended after it has begun", found.Status.FinishedAt.Before(&found.Status.StartedAt), false)
	get.Fields = "metadata.name,status.phase"
	same("fields that were not asked for", must(service.GetWorkflow(ctx, get)).Spec.Entrypoint, "")
	logs := &workflowpkg.WorkflowLogRequest{Namespace: namespace, Name: "hello", LogOptions: &corev1.PodLogOptions{Container: "main", Follow: true}}
	same("its logs", linesOf(must(service.WorkflowLogs(ctx, logs))), "[one two]")
	logs.Grep = "^t"
	same("its logs by an expression", linesOf(must(service.WorkflowLogs(ctx, logs))), "[two]")
	logs.Grep, logs.PodName = "", "hello"
	same("its pod's logs", linesOf(must(service.PodLogs(ctx, logs))), "[one two]")

	must(service.CreateWorkflow(ctx, &workflowpkg.WorkflowCreateRequest{Namespace: namespace, Workflow: workflow("other", shell("main", "true"))}))
	list := func(options metav1.ListOptions, filter string) []string {
		var names []string
		listed := must(service.ListWorkflows(ctx, &workflowpkg.WorkflowListRequest{Namespace: namespace, ListOptions: &options, NameFilter: filter, Fields: "metadata,items.metadata.name"}))
		for _, item := range listed.Items {
			names = append(names, item.Name)
		}
		return names
	}
	same("those of a label", len(list(metav1.ListOptions{LabelSelector: "made=by-go"}, "")), 2)
	same("those of another label", len(list(metav1.ListOptions{LabelSelector: "made=by-hand"}, "")), 0)
	if withServer {
		same("those whose name begins so", list(metav1.ListOptions{FieldSelector: "metadata.name=hel"}, "Prefix"), "[hello]")
	}
	same("a page of one", len(list(metav1.ListOptions{Limit: 1}, "")), 1)

	must(service.DeleteWorkflow(ctx, &workflowpkg.WorkflowDeleteRequest{Namespace: namespace, Name: "other"}))
	refused[*workflowpkg.WorkflowDeleteResponse](codes.NotFound)(service.DeleteWorkflow(ctx, &workflowpkg.WorkflowDeleteRequest{Namespace: namespace, Name: "other"}))
}
