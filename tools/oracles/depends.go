package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/expr-lang/expr"
)

// taskResults is what a `depends` text can ask of a task.
type taskResults struct {
	Succeeded, Failed, Errored, Skipped, Omitted, Daemoned, AnySucceeded, AllFailed bool
}

var taskResultNames = []string{
	"Succeeded", "Failed", "Errored", "Skipped", "Omitted", "Daemoned", "AnySucceeded", "AllFailed",
}

// dependsTask is a task that others depend on: a phase alone in JSON, or an object. Children make it a loop.
type dependsTask struct {
	Phase      string
	Daemoned   bool
	Children   []string
	ContinueOn struct{ Error, Failed bool }
}

func (t *dependsTask) UnmarshalJSON(text []byte) error {
	if json.Unmarshal(text, &t.Phase) == nil {
		return nil
	}
	type plain dependsTask
	return json.Unmarshal(text, (*plain)(t))
}

func (t dependsTask) daemoned() bool { return t.Daemoned && t.Phase != "Pending" }

func (t dependsTask) fulfilled() bool {
	return t.daemoned() || slices.Contains([]string{"Succeeded", "Failed", "Error", "Skipped", "Omitted"}, t.Phase)
}

func (t dependsTask) results() taskResults {
	return taskResults{
		Succeeded:    t.Phase == "Succeeded",
		Failed:       t.Phase == "Failed",
		Errored:      t.Phase == "Error",
		Skipped:      t.Phase == "Skipped",
		Omitted:      t.Phase == "Omitted",
		Daemoned:     t.daemoned(),
		AnySucceeded: slices.Contains(t.Children, "Succeeded"),
		AllFailed:    len(t.Children) > 0 && !slices.ContainsFunc(t.Children, func(phase string) bool { return phase != "Failed" }),
	}
}

// meaning is what the bare name of the task stands for.
func (t dependsTask) meaning(name string) string {
	wanted := []string{"Succeeded", "Skipped", "Daemoned"}
	if t.ContinueOn.Error {
		wanted = append(wanted, "Errored")
	}
	if t.ContinueOn.Failed {
		wanted = append(wanted, "Failed")
	}
	for i, result := range wanted {
		wanted[i] = name + "." + result
	}
	return "(" + strings.Join(wanted, " || ") + ")"
}

var (
	dependsWord   = regexp.MustCompile(`[a-zA-Z0-9][-a-zA-Z0-9]*?\.[A-Z][a-zA-Z]+|[a-zA-Z0-9][-a-zA-Z0-9]*`)
	dependsResult = regexp.MustCompile(`[a-zA-Z0-9][-a-zA-Z0-9]*?\.[A-Z][a-zA-Z]+`)
)

// evalDepends gives whether the task is to be run, or null while a dependency is not finished. "with" are the other
// tasks; "dependencies" is the old list of names, instead of "in". "becomes" is the expression that decides.
func evalDepends(c *Case) (Result, error) {
	var tasks map[string]dependsTask
	c.decode("with", c.document(), &tasks)
	var text string
	var names []string
	var err error
	if c.has("dependencies") {
		c.read("dependencies", &names)
		text, err = joinDependencies(names, tasks)
	} else {
		text = c.source()
		if err := validateResults(text); err != nil {
			return Result{}, err
		}
		text, names, err = expandDepends(text, tasks)
	}
	if err != nil {
		return Result{}, err
	}
	text = strings.ReplaceAll(text, "-", "_")
	result, err := decideDepends(text, names, tasks)
	result.More = Row{{"becomes", marshal(text)}}
	return result, err
}

func validateResults(text string) error {
	for _, word := range dependsResult.FindAllString(text, -1) {
		task, result, _ := strings.Cut(word, ".")
		if !slices.Contains(taskResultNames, result) {
			return fmt.Errorf("task result '%s' for task '%s' is invalid", result, task)
		}
	}
	return nil
}

func joinDependencies(names []string, tasks map[string]dependsTask) (string, error) {
	terms := make([]string, len(names))
	for i, name := range names {
		task, ok := tasks[name]
		if !ok {
			return "", notDefined(name)
		}
		terms[i] = task.meaning(name)
	}
	return strings.Join(terms, " && "), nil
}

func expandDepends(text string, tasks map[string]dependsTask) (expanded string, names []string, err error) {
	asLoop := map[string]bool{}
	expanded = dependsWord.ReplaceAllStringFunc(text, func(word string) string {
		name, result, asked := strings.Cut(word, ".")
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
		if !asked {
			asLoop[name] = false
			return tasks[name].meaning(name)
		}
		if result == "AnySucceeded" || result == "AllFailed" {
			asLoop[name] = true
		}
		return word
	})
	for _, name := range names {
		if task, ok := tasks[name]; !ok {
			return "", nil, notDefined(name)
		} else if asLoop[name] && task.Children == nil {
			return "", nil, fmt.Errorf("dependency '%s' uses an items-based condition such as .AnySucceeded or .AllFailed but does not contain any items", name)
		}
	}
	return expanded, names, nil
}

// notDefined is what validation says before the text is ever evaluated.
func notDefined(name string) error { return fmt.Errorf("dependency '%s' not defined", name) }

func decideDepends(text string, names []string, tasks map[string]dependsTask) (Result, error) {
	env := map[string]taskResults{}
	for _, name := range names {
		if !tasks[name].fulfilled() {
			return describe(nil), nil
		}
		variable := strings.ReplaceAll(name, "-", "_")
		if _, ok := env[variable]; !ok {
			env[variable] = tasks[name].results()
		}
	}
	run, err := evalBool(text, env)
	if err != nil {
		return Result{}, fmt.Errorf("unable to evaluate expression '%s': %w", text, err)
	}
	return describe(run), nil
}

// evalBool is how Argo evaluates an expression that must give a boolean.
func evalBool(text string, env any) (bool, error) {
	program, err := expr.Compile(text, expr.Env(env))
	if err != nil {
		return false, err
	}
	v, err := expr.Run(program, env)
	if err != nil {
		return false, fmt.Errorf("unable to evaluate expression '%s': %w", text, err)
	}
	b, ok := v.(bool)
	if !ok {
		return false, fmt.Errorf("unable to cast expression result '%s' to bool", v)
	}
	return b, nil
}
