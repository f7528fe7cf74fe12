// Argo's Go SDK: every service of pkg/apiclient by gRPC, by HTTP/1 and beside Kubernetes' API, what works offline, and the generated clientset.
//
//	argo_go HOW NAMESPACE
//
// HOW is grpc, http1, kubeconfig, offline or clientset. It is told of the server by ARGO_SERVER and ARGO_TOKEN, of Kubernetes' API by KUBECONFIG.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/argoproj/argo-workflows/v4/pkg/apiclient"
	wfv1 "github.com/argoproj/argo-workflows/v4/pkg/apis/workflow/v1alpha1"
)

const patience = 2 * time.Minute // after which a call that hangs fails

// Without a server the client does what servers do: it gives no code to what it lints and is wrong, and knows no filters by parts of names.
var withServer = true

func wrong() codes.Code {
	if withServer {
		return codes.InvalidArgument
	}
	return codes.Unknown
}

func fail(form string, arguments ...any) {
	fmt.Fprintf(os.Stderr, form+"\n", arguments...)
	os.Exit(1)
}

func check(err error) {
	if err != nil {
		panic(err) // tells where
	}
}

func must[T any](value T, err error) T {
	check(err)
	return value
}

func same(what string, got, expected any) {
	if fmt.Sprint(got) != fmt.Sprint(expected) {
		panic(fmt.Sprintf("%s: %v, not %v", what, got, expected))
	}
}

// refused checks the code of an error.
func refused[T any](expected codes.Code) func(T, error) {
	return func(_ T, err error) { same(fmt.Sprint("the code of ", err), status.Code(err), expected) }
}

func shell(name, script string) wfv1.Template {
	return wfv1.Template{Name: name, Container: &corev1.Container{Image: "none", Command: []string{"sh", "-c", script}}}
}

func spec(templates ...wfv1.Template) wfv1.WorkflowSpec {
	return wfv1.WorkflowSpec{Entrypoint: templates[0].Name, Templates: templates}
}

func workflow(name string, templates ...wfv1.Template) *wfv1.Workflow {
	return &wfv1.Workflow{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"made": "by-go"}}, Spec: spec(templates...)}
}

func options(how string) apiclient.Opts {
	server := apiclient.ArgoServerOpts{URL: os.Getenv("ARGO_SERVER"), HTTP1: how == "http1"}
	token := func() string { return os.Getenv("ARGO_TOKEN") }
	switch how {
	case "grpc", "http1":
		return apiclient.Opts{ArgoServerOpts: server, AuthSupplier: token, LogLevel: "error"}
	case "kubeconfig":
		return apiclient.Opts{LogLevel: "error", ClientConfigSupplier: func() clientcmd.ClientConfig {
			return clientcmd.NewNonInteractiveDeferredLoadingClientConfig(clientcmd.NewDefaultClientConfigLoadingRules(), &clientcmd.ConfigOverrides{})
		}}
	}
	fail("it cannot be reached by %q", how)
	return apiclient.Opts{}
}

func main() {
	if len(os.Args) != 3 {
		fail("usage: %s HOW NAMESPACE", os.Args[0])
	}
	how, namespace := os.Args[1], os.Args[2]
	ctx, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	if how == "kubeconfig" || how == "clientset" {
		withServer = false
		makeNamespace(ctx, namespace)
	}
	switch how {
	case "offline":
		lintOffline(ctx, namespace)
	case "clientset":
		useClientset(ctx, namespace)
	default:
		ctx, client, err := apiclient.NewClientFromOptsWithContext(ctx, options(how))
		check(err)
		useWorkflows(ctx, client, namespace)
		useControls(ctx, client, namespace)
		useTemplates(ctx, client, namespace)
		useClusterTemplates(ctx, client, namespace)
		useCrons(ctx, client, namespace)
		useLimits(ctx, client, namespace)
		if withServer {
			useInfo(ctx, client)
			useArchive(ctx, client, namespace)
			beRefused(how)
		}
		if how == "grpc" { // the SDK has clients of these by gRPC alone
			useEvents(ctx, namespace)
		}
	}
	fmt.Println("done")
}
