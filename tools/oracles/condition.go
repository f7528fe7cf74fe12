package main

import (
	"fmt"

	"github.com/tidwall/gjson"
	"k8s.io/apimachinery/pkg/labels"
)

// evalCondition decides a successCondition, or with "as": "failure" a failureCondition, on an object: all of its
// requirements must hold, or any one of them.
func evalCondition(c *Case) (Result, error) {
	as := "success"
	c.read("as", &as)
	words := map[string]string{"success": "success", "failure": "fail"}
	selector, err := labels.Parse(c.source())
	if err != nil {
		return Result{}, fmt.Errorf("%s condition '%s' failed to parse: %v", words[as], c.source(), err)
	}
	requirements, _ := selector.Requirements()
	matched := 0
	for _, r := range requirements {
		if r.Matches(pathLabels(c.document())) {
			matched++
		}
	}
	if as == "failure" {
		return describe(matched > 0), nil
	}
	return describe(matched == len(requirements)), nil
}

// pathLabels reads a document as if its gjson paths were labels.
type pathLabels []byte

func (l pathLabels) Has(path string) bool { return gjson.GetBytes(l, path).Exists() }

func (l pathLabels) Get(path string) string { return gjson.GetBytes(l, path).String() }

func (l pathLabels) Lookup(path string) (string, bool) {
	found := gjson.GetBytes(l, path)
	return found.String(), found.Exists()
}
