// Oracles tells what the libraries behind Argo Workflows give for a text: see README.md.
package main

import (
	"bufio"
	"errors"
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
	"cron":                  evalCron,
	"depends":               evalDepends,
	"expr":                  evalExpr,
	"gjson":                 evalGJSON,
	"jq":                    evalJQ,
	"json_patch":            evalJSONPatch,
	"jsonpath":              evalJSONPath,
	"kubectl_jsonpath":      evalKubectlJSONPath,
	"managed_fields":        evalManagedFields,
	"merge_patch":           evalMergePatch,
	"sjson":                 evalSJSON,
	"strategic_merge_patch": evalStrategicMergePatch,
	"template":              evalTemplate,
	"when":                  evalWhen,
}

func main() {
	// Functions that read the time zone give the same everywhere.
	time.Local = time.UTC
	err := run(os.Args[1:], os.Stdin, os.Stdout)
	if errors.Is(err, errDiffer) {
		os.Exit(1)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "oracles:", err)
		os.Exit(2)
	}
}

const usage = `usage:
  oracles LANGUAGE <CASES                        answers each case
  oracles generate LANGUAGE --seed N --count N   prints random cases
  oracles compare MINUS PLUS                     prints the rows of two files of answers that differ
  oracles bench LANGUAGE <ROWS                   times the rows of tests/oracles/bench.jsonl that are of the language
languages: `

func run(args []string, in io.Reader, out io.Writer) error {
	flags := flag.NewFlagSet("oracles", flag.ContinueOnError)
	data := flags.String("data", "tests/oracles/data", "the folder of shared variables and documents")
	seed := flags.Uint64("seed", 1, "of generate")
	count := flags.Int("count", 100, "of generate")
	words, err := parseWords(flags, args)
	if err != nil {
		return err
	}
	switch {
	case len(words) == 2 && words[0] == "generate":
		return generate(words[1], *seed, *count, out)
	case len(words) == 3 && words[0] == "compare":
		return compareFiles(words[1], words[2], out)
	case len(words) == 2 && words[0] == "bench":
		rows, err := readRows(in)
		if err != nil {
			return err
		}
		return bench(words[1], &Library{dir: *data}, rows, out)
	case len(words) == 1 && languages[words[0]] != nil:
		return answer(languages[words[0]], &Library{dir: *data}, in, out)
	}
	return errors.New(usage + strings.Join(slices.Sorted(maps.Keys(languages)), " "))
}

// parseWords reads flags wherever they stand and gives what is none.
func parseWords(flags *flag.FlagSet, args []string) (words []string, err error) {
	for {
		if err := flags.Parse(args); err != nil || flags.NArg() == 0 {
			return words, err
		}
		words = append(words, flags.Arg(0))
		args = flags.Args()[1:]
	}
}

// answer writes one row for each row it reads.
func answer(eval language, library *Library, in io.Reader, out io.Writer) error {
	return eachRow(in, func(row Row) error {
		if !row.isComment() {
			var err error
			if row, err = answerRow(eval, library, row); err != nil {
				return err
			}
		}
		_, err := fmt.Fprintln(out, row)
		return err
	})
}

func readRows(in io.Reader) (rows []Row, err error) {
	err = eachRow(in, func(row Row) error {
		if !row.isComment() {
			rows = append(rows, row)
		}
		return nil
	})
	return rows, err
}

func eachRow(in io.Reader, do func(Row) error) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 64<<20)
	for n := 1; lines.Scan(); n++ {
		if len(strings.TrimSpace(lines.Text())) == 0 {
			continue
		}
		row, err := parseRow(lines.Bytes())
		if err == nil {
			err = do(row)
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	return lines.Err()
}
