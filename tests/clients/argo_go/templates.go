package main

import (
	"context"

	"google.golang.org/grpc/codes"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/argoproj/argo-workflows/v4/pkg/apiclient"
	clusterpkg "github.com/argoproj/argo-workflows/v4/pkg/apiclient/clusterworkflowtemplate"
	cronpkg "github.com/argoproj/argo-workflows/v4/pkg/apiclient/cronworkflow"
	workflowpkg "github.com/argoproj/argo-workflows/v4/pkg/apiclient/workflow"
	templatepkg "github.com/argoproj/argo-workflows/v4/pkg/apiclient/workflowtemplate"
	wfv1 "github.com/argoproj/argo-workflows/v4/pkg/apis/workflow/v1alpha1"
)

func greeting() wfv1.WorkflowSpec {
	greet := shell("main", "echo hello {{inputs.parameters.who}}")
	greet.Inputs.Parameters = []wfv1.Parameter{{Name: "who", Value: wfv1.AnyStringPtr("{{workflow.parameters.who}}")}}
	made := spec(greet)
	made.Arguments.Parameters = []wfv1.Parameter{{Name: "who", Value: wfv1.AnyStringPtr("world")}}
	return made
}

func submit(ctx context.Context, client apiclient.Client, namespace, kind, name string) {
	service := client.NewWorkflowServiceClient(ctx)
	made := must(service.SubmitWorkflow(ctx, &workflowpkg.WorkflowSubmitRequest{Namespace: namespace, ResourceKind: kind, ResourceName: name,
		SubmitOptions: &wfv1.SubmitOpts{Parameters: []string{"who=moon"}, Labels: "submitted=yes", GenerateName: "submitted-"}}))
	await(ctx, service, namespace, made.Name, hasPhase(wfv1.WorkflowSucceeded))
	logs := must(service.WorkflowLogs(ctx, &workflowpkg.WorkflowLogRequest{Namespace: namespace, Name: made.Name, LogOptions: &corev1.PodLogOptions{Container: "main"}}))
	same("what the submitted one says", linesOf(logs), "[hello moon]")
	refused[*wfv1.Workflow](codes.NotFound)(service.SubmitWorkflow(ctx, &workflowpkg.WorkflowSubmitRequest{Namespace: namespace, ResourceKind: kind, ResourceName: "none"}))
}

func useTemplates(ctx context.Context, client apiclient.Client, namespace string) {
	service := must(client.NewWorkflowTemplateServiceClient())
	template := &wfv1.WorkflowTemplate{ObjectMeta: metav1.ObjectMeta{Name: "greet", Namespace: namespace, Labels: map[string]string{"made": "by-go"}}, Spec: greeting()}
	must(service.LintWorkflowTemplate(ctx, &templatepkg.WorkflowTemplateLintRequest{Namespace: namespace, Template: template.DeepCopy()}))
	invalid := template.DeepCopy()
	invalid.Spec.Entrypoint = "none"
	refused[*wfv1.WorkflowTemplate](codes.InvalidArgument)(service.CreateWorkflowTemplate(ctx, &templatepkg.WorkflowTemplateCreateRequest{Namespace: namespace, Template: invalid}))
	created := must(service.CreateWorkflowTemplate(ctx, &templatepkg.WorkflowTemplateCreateRequest{Namespace: namespace, Template: template}))
	refused[*wfv1.WorkflowTemplate](codes.AlreadyExists)(service.CreateWorkflowTemplate(ctx, &templatepkg.WorkflowTemplateCreateRequest{Namespace: namespace, Template: template}))
	created.Labels["updated"] = "yes"
	must(service.UpdateWorkflowTemplate(ctx, &templatepkg.WorkflowTemplateUpdateRequest{Namespace: namespace, Template: created}))
	get := &templatepkg.WorkflowTemplateGetRequest{Namespace: namespace, Name: "greet"}
	same("its labels", must(service.GetWorkflowTemplate(ctx, get)).Labels["updated"], "yes")
	listed := must(service.ListWorkflowTemplates(ctx, &templatepkg.WorkflowTemplateListRequest{Namespace: namespace, ListOptions: &metav1.ListOptions{LabelSelector: "updated=yes"}}))
	same("those that are listed", len(listed.Items), 1)
	submit(ctx, client, namespace, "WorkflowTemplate", "greet")
	must(service.DeleteWorkflowTemplate(ctx, &templatepkg.WorkflowTemplateDeleteRequest{Namespace: namespace, Name: "greet"}))
	refused[*wfv1.WorkflowTemplate](codes.NotFound)(service.GetWorkflowTemplate(ctx, get))
}

func useClusterTemplates(ctx context.Context, client apiclient.Client, namespace string) {
	service := must(client.NewClusterWorkflowTemplateServiceClient())
	name := "greet-" + namespace
	template := &wfv1.ClusterWorkflowTemplate{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"made": namespace}}, Spec: greeting()}
	must(service.LintClusterWorkflowTemplate(ctx, &clusterpkg.ClusterWorkflowTemplateLintRequest{Template: template.DeepCopy()}))
	created := must(service.CreateClusterWorkflowTemplate(ctx, &clusterpkg.ClusterWorkflowTemplateCreateRequest{Template: template}))
	created.Labels["updated"] = "yes"
	must(service.UpdateClusterWorkflowTemplate(ctx, &clusterpkg.ClusterWorkflowTemplateUpdateRequest{Name: name, Template: created}))
	get := &clusterpkg.ClusterWorkflowTemplateGetRequest{Name: name}
	same("its labels", must(service.GetClusterWorkflowTemplate(ctx, get)).Labels["updated"], "yes")
	listed := must(service.ListClusterWorkflowTemplates(ctx, &clusterpkg.ClusterWorkflowTemplateListRequest{ListOptions: &metav1.ListOptions{LabelSelector: "made=" + namespace}}))
	same("those that are listed", len(listed.Items), 1)
	submit(ctx, client, namespace, "ClusterWorkflowTemplate", name)
	must(service.DeleteClusterWorkflowTemplate(ctx, &clusterpkg.ClusterWorkflowTemplateDeleteRequest{Name: name}))
	refused[*wfv1.ClusterWorkflowTemplate](codes.NotFound)(service.GetClusterWorkflowTemplate(ctx, get))
}

func useCrons(ctx context.Context, client apiclient.Client, namespace string) {
	service := must(client.NewCronWorkflowServiceClient())
	cron := &wfv1.CronWorkflow{ObjectMeta: metav1.ObjectMeta{Name: "yearly", Namespace: namespace, Labels: map[string]string{"made": "by-go"}},
		Spec: wfv1.CronWorkflowSpec{Schedules: []string{"0 0 1 1 *"}, WorkflowSpec: greeting()}}
	must(service.LintCronWorkflow(ctx, &cronpkg.LintCronWorkflowRequest{Namespace: namespace, CronWorkflow: cron.DeepCopy()}))
	invalid := cron.DeepCopy()
	invalid.Spec.Schedules = []string{"never"}
	refused[*wfv1.CronWorkflow](codes.InvalidArgument)(service.CreateCronWorkflow(ctx, &cronpkg.CreateCronWorkflowRequest{Namespace: namespace, CronWorkflow: invalid}))
	created := must(service.CreateCronWorkflow(ctx, &cronpkg.CreateCronWorkflowRequest{Namespace: namespace, CronWorkflow: cron}))
	created.Labels["updated"] = "yes"
	must(service.UpdateCronWorkflow(ctx, &cronpkg.UpdateCronWorkflowRequest{Namespace: namespace, CronWorkflow: created}))
	same("whether it is suspended", must(service.SuspendCronWorkflow(ctx, &cronpkg.CronWorkflowSuspendRequest{Namespace: namespace, Name: "yearly"})).Spec.Suspend, true)
	same("whether it is suspended", must(service.ResumeCronWorkflow(ctx, &cronpkg.CronWorkflowResumeRequest{Namespace: namespace, Name: "yearly"})).Spec.Suspend, false)
	get := &cronpkg.GetCronWorkflowRequest{Namespace: namespace, Name: "yearly"}
	same("its labels", must(service.GetCronWorkflow(ctx, get)).Labels["updated"], "yes")
	listed := must(service.ListCronWorkflows(ctx, &cronpkg.ListCronWorkflowsRequest{Namespace: namespace, ListOptions: &metav1.ListOptions{LabelSelector: "made=by-go"}}))
	same("those that are listed", len(listed.Items), 1)
	submit(ctx, client, namespace, "CronWorkflow", "yearly")
	must(service.DeleteCronWorkflow(ctx, &cronpkg.DeleteCronWorkflowRequest{Namespace: namespace, Name: "yearly"}))
	refused[*wfv1.CronWorkflow](codes.NotFound)(service.GetCronWorkflow(ctx, get))
}
