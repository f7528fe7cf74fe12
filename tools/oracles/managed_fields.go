package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/client-go/applyconfigurations"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/kube-openapi/pkg/validation/spec"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// managedKind is a kind whose objects are written to.
type managedKind struct {
	gvk   schema.GroupVersionKind
	types func() managedfields.TypeConverter
	// status is whether it has the subresource.
	status bool
}

var managedKinds = map[string]managedKind{
	"Deployment":       {schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}, builtIn, true},
	"Pod":              {schema.GroupVersionKind{Version: "v1", Kind: "Pod"}, builtIn, true},
	"Service":          {schema.GroupVersionKind{Version: "v1", Kind: "Service"}, builtIn, true},
	"Job":              {schema.GroupVersionKind{Group: "batch", Version: "v1", Kind: "Job"}, builtIn, true},
	"CronJob":          {schema.GroupVersionKind{Group: "batch", Version: "v1", Kind: "CronJob"}, builtIn, true},
	"Role":             {schema.GroupVersionKind{Group: "rbac.authorization.k8s.io", Version: "v1", Kind: "Role"}, builtIn, false},
	"PersistentVolume": {schema.GroupVersionKind{Version: "v1", Kind: "PersistentVolume"}, builtIn, true},
	"ConfigMap":        {schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"}, builtIn, false},
	"Gadget":           {schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "Gadget"}, gadgets, true},
	"Widget":           {schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "Widget"}, managedfields.NewDeducedTypeConverter, false},
}

var builtIn = sync.OnceValue(func() managedfields.TypeConverter {
	return applyconfigurations.NewTypeConverter(scheme.Scheme)
})

//go:embed gadget.json
var gadgetSchemas []byte

var gadgets = sync.OnceValue(func() managedfields.TypeConverter {
	var schemas map[string]*spec.Schema
	err := json.Unmarshal(gadgetSchemas, &schemas)
	if err == nil {
		var types managedfields.TypeConverter
		if types, err = managedfields.NewTypeConverter(schemas, false); err == nil {
			return types
		}
	}
	panic(err)
})

// resetPaths are what a route of a kind cannot change: GetResetFields of their strategies.
func resetPaths(kind, subresource string) *fieldpath.Set {
	set := fieldpath.NewSet()
	switch {
	case !managedKinds[kind].status:
	case subresource == "":
		set.Insert(fieldpath.MakePathOrDie("status"))
	case subresource == "status":
		set.Insert(fieldpath.MakePathOrDie("spec"))
		switch kind {
		case "Pod":
			set.Insert(fieldpath.MakePathOrDie("metadata", "deletionTimestamp"))
			set.Insert(fieldpath.MakePathOrDie("metadata", "ownerReferences"))
		case "Deployment":
			set.Insert(fieldpath.MakePathOrDie("metadata", "labels"))
		}
	}
	return set
}

// write is one request: an object that is applied or takes the place of the live one.
type write struct {
	kind, manager, subresource string
	apply, force               bool
	live, object               map[string]any
	time                       time.Time
}

var errNoKind = errors.New("no such kind")

func (w write) fieldManager() (*managedfields.FieldManager, error) {
	kind, ok := managedKinds[w.kind]
	if !ok {
		return nil, errNoKind
	}
	version := kind.gvk.GroupVersion()
	reset := map[fieldpath.APIVersion]fieldpath.Filter{
		fieldpath.APIVersion(version.String()): fieldpath.NewExcludeSetFilter(resetPaths(w.kind, w.subresource)),
	}
	as := plainObjects{}
	return managedfields.NewDefaultFieldManager(kind.types(), as, as, as, kind.gvk, version, w.subresource, reset)
}

// run gives the object, or the error with its causes. Times that the library has set become the request's.
func (w write) run() (map[string]any, error) {
	manager, err := w.fieldManager()
	if err != nil {
		return nil, err
	}
	gvk := managedKinds[w.kind].gvk
	live, err := plainObjects{}.New(gvk)
	if err != nil {
		return nil, err
	}
	if w.live != nil {
		live = &unstructured.Unstructured{Object: runtime.DeepCopyJSON(w.live)}
	}
	object := runtime.Object(&unstructured.Unstructured{Object: runtime.DeepCopyJSON(w.object)})
	began := time.Now().Truncate(time.Second)
	if w.apply {
		object, err = manager.Apply(live, object, w.manager, w.force)
	} else if updated, failed := manager.Update(live, object, w.manager); failed == nil {
		object = updated
	} else { // as UpdateNoErrors, which logs it
		object.(*unstructured.Unstructured).SetManagedFields(nil)
	}
	if err != nil {
		return nil, err
	}
	out := object.(*unstructured.Unstructured)
	entries := out.GetManagedFields()
	for i := range entries {
		if t := entries[i].Time; t != nil && !t.Time.Before(began) {
			entries[i].Time = &metav1.Time{Time: w.time}
		}
	}
	if len(entries) > 0 {
		out.SetManagedFields(entries)
	}
	return out.Object, nil
}

func (c *Case) object(name string) (object map[string]any) {
	if raw, ok := c.row.get(name); ok {
		object = decodeObject(raw)
	}
	return object
}

// decodeObject keeps integers apart from floats, as the API server does.
func decodeObject(raw []byte) (object map[string]any) {
	if err := utiljson.Unmarshal(raw, &object); err != nil {
		panic(err)
	}
	return object
}

func evalManagedFields(c *Case) (Result, error) {
	w := write{kind: c.text("kind"), manager: c.text("manager"), subresource: c.text("subresource"), apply: c.flag("apply"), force: c.flag("force"),
		live: c.object("with"), object: c.object("in")}
	if w.time, c.err = time.Parse(time.RFC3339, c.text("time")); c.err != nil {
		return Result{}, nil
	}
	object, err := w.run()
	if errors.Is(err, errNoKind) {
		c.err = err
	}
	return Result{Out: marshal(writeResult(w, object, err))}, nil
}

// writeResult has of an update the managers alone: the object is known. Of an error it has all: kubectl shows it.
func writeResult(w write, object map[string]any, err error) any {
	if err == nil {
		if w.apply {
			return object
		}
		managers, _, _ := unstructured.NestedFieldNoCopy(object, "metadata", "managedFields")
		return managers
	}
	refused := map[string]any{"message": sortedErrors(err.Error())}
	var status *apierrors.StatusError
	if errors.As(err, &status) {
		refused["code"] = status.ErrStatus.Code
		if details := status.ErrStatus.Details; details != nil && len(details.Causes) > 0 {
			refused["causes"] = sortedCauses(details.Causes)
		}
	}
	return refused
}

// sortedErrors has the lines in order that the original has in that of a map.
func sortedErrors(message string) string {
	context, errs, several := strings.Cut(message, "errors:\n")
	if !several {
		return message
	}
	lines := strings.Split(errs, "\n")
	slices.Sort(lines)
	return context + "errors:\n" + strings.Join(lines, "\n")
}

// sortedCauses has those of one manager together: the original goes through a map of managers.
func sortedCauses(causes []metav1.StatusCause) []metav1.StatusCause {
	slices.SortStableFunc(causes, func(a, b metav1.StatusCause) int { return bytes.Compare([]byte(a.Message), []byte(b.Message)) })
	return causes
}

// plainObjects stands for what an API server knows of its kinds: nothing is converted, nothing has defaults.
type plainObjects struct{}

// New has what the structs of built-in kinds have when nothing is set.
func (plainObjects) New(gvk schema.GroupVersionKind) (runtime.Object, error) {
	u := &unstructured.Unstructured{Object: map[string]any{}}
	if scheme.Scheme.Recognizes(gvk) {
		zero, err := scheme.Scheme.New(gvk)
		if err != nil {
			return nil, err
		}
		if u.Object, err = runtime.DefaultUnstructuredConverter.ToUnstructured(zero); err != nil {
			return nil, err
		}
	}
	u.SetGroupVersionKind(gvk)
	return u, nil
}

func (plainObjects) ConvertToVersion(in runtime.Object, _ runtime.GroupVersioner) (runtime.Object, error) {
	return in, nil
}

func (plainObjects) Convert(_, _, _ any) error { return errors.New("not implemented") }

func (plainObjects) ConvertFieldLabel(_ schema.GroupVersionKind, _, _ string) (string, string, error) {
	return "", "", fmt.Errorf("not implemented")
}

func (plainObjects) Default(runtime.Object) {}
