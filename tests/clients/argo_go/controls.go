package main

import (
	"context"

	"google.golang.org/grpc/codes"
	corev1 "k8s.io/api/core/v1"

	"github.com/argoproj/argo-workflows/v4/pkg/apiclient"
	workflowpkg "github.com/argoproj/argo-workflows/v4/pkg/apiclient/workflow"
	wfv1 "github.com/argoproj/argo-workflows/v4/pkg/apis/workflow/v1alpha1"
)

func suspended(workflow *wfv1.Workflow) bool {
	for _, node := range workflow.Status.Nodes {
		if node.Type == wfv1.NodeTypeSuspend && node.Phase == wfv1.NodeRunning {
			return true
		}
	}
	return false
}

// asking waits for a value that whoever resumes it gives.
func asking() wfv1.Template {
	return wfv1.Template{Name: "main", Suspend: &wfv1.SuspendTemplate{},
		Outputs: wfv1.Outputs{Parameters: []wfv1.Parameter{{Name: "answer", ValueFrom: &wfv1.ValueFrom{Supplied: &wfv1.SuppliedValueFrom{}}}}}}
}

// useControls suspends, resumes, sets, stops, terminates, retries and resubmits.
func useControls(ctx context.Context, client apiclient.Client, namespace string) {
	service := client.NewWorkflowServiceClient(ctx)
	begin := func(made *wfv1.Workflow) {
		must(service.CreateWorkflow(ctx, &workflowpkg.WorkflowCreateRequest{Namespace: namespace, Workflow: made}))
	}
	is := func(name string, phase wfv1.WorkflowPhase) *wfv1.Workflow {
		return await(ctx, service, namespace, name, hasPhase(phase))
	}

	begin(workflow("waits", wfv1.Template{Name: "main", Suspend: &wfv1.SuspendTemplate{}}))
	await(ctx, service, namespace, "waits", suspended)
	must(service.SuspendWorkflow(ctx, &workflowpkg.WorkflowSuspendRequest{Namespace: namespace, Name: "waits"}))
	await(ctx, service, namespace, "waits", func(workflow *wfv1.Workflow) bool { return workflow.Spec.Suspend != nil && *workflow.Spec.Suspend })
	must(service.ResumeWorkflow(ctx, &workflowpkg.WorkflowResumeRequest{Namespace: namespace, Name: "waits"}))
	is("waits", wfv1.WorkflowSucceeded)

	begin(workflow("asks", asking()))
	await(ctx, service, namespace, "asks", suspended)
	must(service.SetWorkflow(ctx, &workflowpkg.WorkflowSetRequest{Namespace: namespace, Name: "asks", NodeFieldSelector: "displayName=asks",
		Message: "as was asked", OutputParameters: `{"answer": "yes"}`, Phase: string(wfv1.NodeSucceeded)}))
	for _, node := range is("asks", wfv1.WorkflowSucceeded).Status.Nodes {
		same("what was set", node.Outputs.Parameters[0].Value.String(), "yes")
		same("its message", node.Message, "as was asked")
	}

	for name, end := range map[string]func(string) (*wfv1.Workflow, error){
		"stops": func(name string) (*wfv1.Workflow, error) {
			return service.StopWorkflow(ctx, &workflowpkg.WorkflowStopRequest{Namespace: namespace, Name: name, Message: "enough"})
		},
		"terminates": func(name string) (*wfv1.Workflow, error) {
			return service.TerminateWorkflow(ctx, &workflowpkg.WorkflowTerminateRequest{Namespace: namespace, Name: name})
		}} {
		begin(workflow(name, wfv1.Template{Name: "main", Suspend: &wfv1.SuspendTemplate{}}))
		await(ctx, service, namespace, name, suspended)
		must(end(name))
		is(name, wfv1.WorkflowFailed)
		refused[*wfv1.Workflow](codes.NotFound)(end("none"))
	}

	failing := workflow("fails", shell("main", "exit {{workflow.parameters.code}}"))
	failing.Spec.Arguments.Parameters = []wfv1.Parameter{{Name: "code", Value: wfv1.AnyStringPtr("3")}}
	begin(failing)
	is("fails", wfv1.WorkflowFailed)
	if withServer { // else the client takes nodes out of the workflow, which this API does not carry out
		must(service.RetryWorkflow(ctx, &workflowpkg.WorkflowRetryRequest{Namespace: namespace, Name: "fails", Parameters: []string{"code=0"}}))
		is("fails", wfv1.WorkflowSucceeded)
	}
	again := must(service.ResubmitWorkflow(ctx, &workflowpkg.WorkflowResubmitRequest{Namespace: namespace, Name: "fails", Parameters: []string{"code=0"}}))
	same("of which it comes", again.Labels["workflows.argoproj.io/resubmitted-from-workflow"], "fails")
	is(again.Name, wfv1.WorkflowSucceeded)
	refused[*wfv1.Workflow](codes.NotFound)(service.RetryWorkflow(ctx, &workflowpkg.WorkflowRetryRequest{Namespace: namespace, Name: "none"}))

	running := workflow("talks", shell("main", "echo begun; sleep 60"))
	begin(running)
	ctxOfLogs, stop := context.WithCancel(ctx)
	defer stop()
	await(ctx, service, namespace, "talks", func(workflow *wfv1.Workflow) bool {
		return workflow.Status.Nodes["talks"].Phase == wfv1.NodeRunning
	})
	stream := must(service.WorkflowLogs(ctxOfLogs, &workflowpkg.WorkflowLogRequest{Namespace: namespace, Name: "talks", LogOptions: &corev1.PodLogOptions{Container: "main", Follow: true}}))
	same("what it says as it runs", must(stream.Recv()).Content, "begun")
	must(service.TerminateWorkflow(ctx, &workflowpkg.WorkflowTerminateRequest{Namespace: namespace, Name: "talks"}))
	is("talks", wfv1.WorkflowFailed)
}
