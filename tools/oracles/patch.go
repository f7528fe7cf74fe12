package main

import (
	"encoding/json"
	"fmt"

	wfv1 "github.com/argoproj/argo-workflows/v4/pkg/apis/workflow/v1alpha1"
	jsonpatch "github.com/evanphx/json-patch"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
)

// patchedKinds say how lists merge: by which key, or not at all.
var patchedKinds = map[string]any{
	"Pod":              corev1.Pod{},
	"PodSpec":          corev1.PodSpec{},
	"Container":        corev1.Container{},
	"Workflow":         wfv1.Workflow{},
	"Template":         wfv1.Template{},
	"ArtifactLocation": wfv1.ArtifactLocation{},
}

func evalJSONPatch(c *Case) (Result, error) {
	patch, err := jsonpatch.DecodePatch([]byte(c.source()))
	if err != nil {
		return Result{}, err
	}
	return patched(patch.Apply(c.document()))
}

func evalMergePatch(c *Case) (Result, error) {
	return patched(jsonpatch.MergePatch(c.document(), []byte(c.source())))
}

func evalStrategicMergePatch(c *Case) (Result, error) {
	name := c.text("kind")
	kind, ok := patchedKinds[name]
	if !ok {
		c.err = fmt.Errorf("kind: no such kind as %q", name)
		return Result{}, nil
	}
	return patched(strategicpatch.StrategicMergePatch(c.document(), []byte(c.source()), kind))
}

func patched(out []byte, err error) (Result, error) {
	if err != nil {
		return Result{}, err
	}
	if !json.Valid(out) {
		return textOfJSON(out), nil
	}
	return Result{Out: compact(out)}, nil
}
