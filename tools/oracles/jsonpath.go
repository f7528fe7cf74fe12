package main

import (
	"strings"

	"github.com/evilmonkeyinc/jsonpath"
	kubejson "k8s.io/apimachinery/pkg/util/json"
	kubectl "k8s.io/client-go/util/jsonpath"
)

// evalJSONPath asks a document as the function jsonpath of expressions does.
func evalJSONPath(c *Case) (Result, error) {
	var document any
	c.decode("with", c.document(), &document)
	found, err := jsonpath.Query(c.source(), document)
	if err != nil {
		return Result{}, err
	}
	return describe(found), nil
}

// evalKubectlJSONPath prints as `kubectl get -o jsonpath=` does. With "allowMissingKeys", which is kubectl's default,
// an unknown key prints nothing.
func evalKubectlJSONPath(c *Case) (Result, error) {
	var document any
	if err := kubejson.Unmarshal(c.document(), &document); err != nil {
		return Result{}, err
	}
	path := kubectl.New("out").AllowMissingKeys(c.flag("allowMissingKeys"))
	if err := path.Parse(c.source()); err != nil {
		return Result{}, err
	}
	var out strings.Builder
	if err := path.Execute(&out, document); err != nil {
		return Result{}, err
	}
	return Result{Out: encode(out.String())}, nil
}
