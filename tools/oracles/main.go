// Oracles tells what the libraries behind Argo Workflows give for a text: see README.md.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
)

// language evaluates one case with the original. The error is the original's.
type language func(*Case) (Result, error)

var languages = map[string]language{
	"condition":             evalCondition,
	"depends":               evalDepends,
	"expr":                  evalExpr,
	"gjson":                 evalGJSON,
	"jq":                    evalJQ,
	"json_patch":            evalJSONPatch,
	"jsonpath":              evalJSONPath,
	"kubectl_jsonpath":      evalKubectlJSONPath,
	"merge_patch":           evalMergePatch,
	"sjson":                 evalSJSON,
	"strategic_merge_patch": evalStrategicMergePatch,
	"template":              evalTemplate,
	"when":                  evalWhen,
}

func main() {
	// Functions that read the time zone give the same everywhere.
	time.Local = time.UTC
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "oracles:", err)
		os.Exit(2)
	}
}

func run(args []string, in io.Reader, out io.Writer) error {
	flags := flag.NewFlagSet("oracles", flag.ContinueOnError)
	data := flags.String("data", "tests/oracles/data", "the folder of shared variables and documents")
	if err := flags.Parse(args); err != nil {
		return err
	}
	eval, ok := languages[flags.Arg(0)]
	if !ok {
		return fmt.Errorf("usage: oracles [-data DIR] %s", strings.Join(slices.Sorted(maps.Keys(languages)), "|"))
	}
	return answer(eval, &Library{dir: *data}, in, out)
}

// answer writes one row for each row it reads.
func answer(eval language, library *Library, in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 64<<20)
	w := bufio.NewWriter(out)
	for n := 1; lines.Scan(); n++ {
		if len(strings.TrimSpace(lines.Text())) == 0 {
			continue
		}
		row, err := parseRow(lines.Bytes())
		if err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		if !row.isComment() {
			if row, err = answerRow(eval, library, row); err != nil {
				return fmt.Errorf("line %d: %w", n, err)
			}
		}
		if _, err := fmt.Fprintln(w, row); err != nil {
			return err
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	return lines.Err()
}
