package main

import (
	"context"
	"os"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
	apierr "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"

	"github.com/argoproj/argo-workflows/v4/pkg/apiclient"
	workflowpkg "github.com/argoproj/argo-workflows/v4/pkg/apiclient/workflow"
	wfv1 "github.com/argoproj/argo-workflows/v4/pkg/apis/workflow/v1alpha1"
	"github.com/argoproj/argo-workflows/v4/pkg/client/clientset/versioned"
	"github.com/argoproj/argo-workflows/v4/pkg/client/informers/externalversions"
)

// Kubernetes' API makes none along with what is made in it.
func makeNamespace(ctx context.Context, name string) {
	config := must(clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG")))
	must(kubernetes.NewForConfigOrDie(config).CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{}))
}

// useClientset drives the generated clientset, its informers and its listers.
func useClientset(ctx context.Context, namespace string) {
	config := must(clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG")))
	clients := must(versioned.NewForConfig(config)).ArgoprojV1alpha1()
	workflows := clients.Workflows(namespace)
	factory := externalversions.NewSharedInformerFactoryWithOptions(must(versioned.NewForConfig(config)), 0, externalversions.WithNamespace(namespace))
	informer := factory.Argoproj().V1alpha1().Workflows()
	changes := make(chan *wfv1.Workflow, 1000)
	gone := make(chan string, 10)
	must(informer.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { changes <- object.(*wfv1.Workflow) },
		UpdateFunc: func(_, object any) { changes <- object.(*wfv1.Workflow) },
		DeleteFunc: func(object any) {
			if last, ok := object.(*wfv1.Workflow); ok {
				gone <- last.Name
			}
		}}))
	templates := factory.Argoproj().V1alpha1().WorkflowTemplates()
	templates.Informer()
	factory.Start(ctx.Done())
	for kind, inStep := range factory.WaitForCacheSync(ctx.Done()) {
		same(kind.String()+" in step", inStep, true)
	}

	made := must(workflows.Create(ctx, workflow("typed", shell("main", "echo hello")), metav1.CreateOptions{FieldManager: "go"}))
	for made.Status.Phase != wfv1.WorkflowSucceeded {
		select {
		case made = <-changes:
		case <-ctx.Done():
			panic("it never ended")
		}
	}
	same("nodes of what the informer tells", len(made.Status.Nodes), 1)
	patched := must(workflows.Patch(ctx, "typed", types.MergePatchType, []byte(`{"metadata": {"labels": {"patched": "yes"}}}`), metav1.PatchOptions{}))
	same("its label", patched.Labels["patched"], "yes")
	stale := made.DeepCopy()
	stale.Labels["stale"] = "yes"
	_, err := workflows.Update(ctx, stale, metav1.UpdateOptions{})
	same("whether a stale update conflicts", apierr.IsConflict(err), true)
	for made.Labels["patched"] != "yes" {
		made = <-changes
	}
	same("what the lister has", len(must(informer.Lister().Workflows(namespace).List(labels.SelectorFromSet(labels.Set{"patched": "yes"})))), 1)
	check(workflows.Delete(ctx, "typed", metav1.DeleteOptions{}))
	same("what is gone", <-gone, "typed")
	_, err = workflows.Get(ctx, "typed", metav1.GetOptions{})
	same("whether it is not found", apierr.IsNotFound(err), true)

	must(clients.WorkflowTemplates(namespace).Create(ctx, &wfv1.WorkflowTemplate{ObjectMeta: metav1.ObjectMeta{Name: "greet"}, Spec: greeting()}, metav1.CreateOptions{}))
	must(clients.CronWorkflows(namespace).Create(ctx, &wfv1.CronWorkflow{ObjectMeta: metav1.ObjectMeta{Name: "yearly"},
		Spec: wfv1.CronWorkflowSpec{Schedules: []string{"0 0 1 1 *"}, WorkflowSpec: greeting()}}, metav1.CreateOptions{}))
	must(clients.ClusterWorkflowTemplates().Create(ctx, &wfv1.ClusterWorkflowTemplate{ObjectMeta: metav1.ObjectMeta{Name: "typed-greet"}, Spec: greeting()}, metav1.CreateOptions{}))
	must(clients.WorkflowEventBindings(namespace).Create(ctx, &wfv1.WorkflowEventBinding{ObjectMeta: metav1.ObjectMeta{Name: "begin"},
		Spec: wfv1.WorkflowEventBindingSpec{Event: wfv1.Event{Selector: "true"}, Submit: &wfv1.Submit{WorkflowTemplateRef: wfv1.WorkflowTemplateRef{Name: "greet"}}}}, metav1.CreateOptions{}))
	check(clients.WorkflowTemplates(namespace).DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{}))
	same("templates", len(must(clients.WorkflowTemplates(namespace).List(ctx, metav1.ListOptions{})).Items), 0)
	check(clients.CronWorkflows(namespace).Delete(ctx, "yearly", metav1.DeleteOptions{}))
	check(clients.ClusterWorkflowTemplates().Delete(ctx, "typed-greet", metav1.DeleteOptions{}))
	check(clients.WorkflowEventBindings(namespace).Delete(ctx, "begin", metav1.DeleteOptions{}))
}

// lintOffline needs no server; the template is found among the files.
func lintOffline(ctx context.Context, namespace string) {
	folder := must(os.MkdirTemp("", "argo-go-"))
	defer os.RemoveAll(folder)
	template := &wfv1.WorkflowTemplate{TypeMeta: metav1.TypeMeta{APIVersion: "argoproj.io/v1alpha1", Kind: "WorkflowTemplate"},
		ObjectMeta: metav1.ObjectMeta{Name: "greet", Namespace: namespace}, Spec: greeting()}
	check(os.WriteFile(filepath.Join(folder, "greet.yaml"), must(yaml.Marshal(template)), 0o600))
	ctx, client, err := apiclient.NewClientFromOptsWithContext(ctx, apiclient.Opts{Offline: true, OfflineFiles: []string{folder}, LogLevel: "error"})
	check(err)
	service := client.NewWorkflowServiceClient(ctx)
	refers := func(name string) *workflowpkg.WorkflowLintRequest {
		return &workflowpkg.WorkflowLintRequest{Namespace: namespace, Workflow: &wfv1.Workflow{ObjectMeta: metav1.ObjectMeta{Name: "refers", Namespace: namespace},
			Spec: wfv1.WorkflowSpec{WorkflowTemplateRef: &wfv1.WorkflowTemplateRef{Name: name}}}}
	}
	must(service.LintWorkflow(ctx, refers("greet")))
	if _, err := service.LintWorkflow(ctx, refers("none")); err == nil {
		panic("what there is not was found")
	}
}
