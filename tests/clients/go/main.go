// Informers of client-go: typed and dynamic, over what happens and over what was there, with leader election by a Lease.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/client-go/util/retry"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Tells each change of an informer as "add a v".
func follow(informer cache.SharedIndexInformer, text func(object any) string) <-chan string {
	seen := make(chan string, 100)
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { seen <- "add " + text(object) },
		UpdateFunc: func(_, object any) { seen <- "update " + text(object) },
		DeleteFunc: func(object any) { seen <- "delete " + text(object) },
	})
	check(err)
	return seen
}

func want(seen <-chan string, texts ...string) {
	for _, text := range texts {
		for {
			select {
			case got := <-seen:
				if got == text {
					goto next
				}
			case <-time.After(time.Minute):
				check(fmt.Errorf("%q never came", text))
			}
		}
	next:
	}
}

func configMaps(ctx context.Context, config *rest.Config) {
	client := kubernetes.NewForConfigOrDie(config)
	maps := client.CoreV1().ConfigMaps("default")
	put := func(name string) *corev1.ConfigMap {
		made, err := maps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}, Data: map[string]string{"k": "v"}}, metav1.CreateOptions{})
		check(err)
		return made
	}
	put("before")
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace("default"))
	informer := factory.Core().V1().ConfigMaps()
	seen := follow(informer.Informer(), func(object any) string {
		config := object.(*corev1.ConfigMap)
		return config.Name + " " + config.Data["k"]
	})
	factory.Start(ctx.Done())
	for kind, synced := range factory.WaitForCacheSync(ctx.Done()) {
		if !synced {
			check(fmt.Errorf("%v was never in step", kind))
		}
	}
	want(seen, "add before v")
	put("after")
	_, err := maps.Patch(ctx, "after", types.StrategicMergePatchType, []byte(`{"data": {"k": "w"}}`), metav1.PatchOptions{})
	check(err)
	check(retry.RetryOnConflict(retry.DefaultRetry, func() error {
		read, err := maps.Get(ctx, "after", metav1.GetOptions{})
		if err != nil {
			return err
		}
		read.Data["k"] = "x"
		_, err = maps.Update(ctx, read, metav1.UpdateOptions{})
		return err
	}))
	check(maps.Delete(ctx, "after", metav1.DeleteOptions{}))
	want(seen, "add after v", "update after w", "update after x", "delete after x")
	cached, err := informer.Lister().ConfigMaps("default").Get("before")
	check(err)
	if cached.UID == "" {
		check(fmt.Errorf("the cache holds no whole object: %v", cached))
	}
}

func workflows(ctx context.Context, config *rest.Config) {
	client := dynamic.NewForConfigOrDie(config)
	kind := schema.GroupVersionResource{Group: "argoproj.io", Version: "v1alpha1", Resource: "workflows"}
	factory := dynamicinformer.NewFilteredDynamicSharedInformerFactory(client, 0, "default", nil)
	seen := follow(factory.ForResource(kind).Informer(), func(object any) string {
		phase, _, _ := unstructured.NestedString(object.(*unstructured.Unstructured).Object, "status", "phase")
		return phase
	})
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	template := map[string]any{"name": "main", "container": map[string]any{"image": "x", "command": []any{"echo", "hello"}}}
	_, err := client.Resource(kind).Namespace("default").Create(ctx, &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": map[string]any{"generateName": "hello-"},
		"spec": map[string]any{"entrypoint": "main", "templates": []any{template}}}}, metav1.CreateOptions{})
	check(err)
	want(seen, "update Succeeded")
}

func lead(ctx context.Context, config *rest.Config) {
	client := kubernetes.NewForConfigOrDie(config)
	lock := &resourcelock.LeaseLock{LeaseMeta: metav1.ObjectMeta{Name: "lead", Namespace: "default"}, Client: client.CoordinationV1(),
		LockConfig: resourcelock.ResourceLockConfig{Identity: "me"}}
	ctx, stop := context.WithCancel(ctx)
	led := false
	leaderelection.RunOrDie(ctx, leaderelection.LeaderElectionConfig{Lock: lock, ReleaseOnCancel: true,
		LeaseDuration: 15 * time.Second, RenewDeadline: 10 * time.Second, RetryPeriod: 2 * time.Second,
		Callbacks: leaderelection.LeaderCallbacks{OnStartedLeading: func(context.Context) { led = true; stop() }, OnStoppedLeading: func() {}}})
	lease, err := client.CoordinationV1().Leases("default").Get(context.Background(), "lead", metav1.GetOptions{})
	check(err)
	if !led || *lease.Spec.HolderIdentity != "" {
		check(fmt.Errorf("the lead was not given back: %v", lease.Spec))
	}
}

func main() {
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	check(err)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	for _, form := range []string{"application/json", "application/vnd.kubernetes.protobuf,application/json"} {
		typed := rest.CopyConfig(config)
		typed.AcceptContentTypes = form
		if form != "application/json" {
			typed.ContentType = "application/vnd.kubernetes.protobuf"
			check(kubernetes.NewForConfigOrDie(config).CoreV1().ConfigMaps("default").Delete(ctx, "before", metav1.DeleteOptions{}))
		}
		configMaps(ctx, typed)
	}
	workflows(ctx, config)
	lead(ctx, config)
	fmt.Println("done")
}
