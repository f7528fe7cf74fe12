package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"syscall"
	"time"

	"github.com/evilmonkeyinc/jsonpath"
	"github.com/expr-lang/expr"
	"github.com/itchyny/gojq"
	"github.com/valyala/fasttemplate"
)

// measured is the work of one row of bench.jsonl: what is done once for a text, and what each time.
type measured struct{ compile, eval func() error }

var benchmarks = map[string]func(*Case) (measured, error){
	"expr":     measureExpr,
	"jq":       measureJQ,
	"jsonpath": measureJSONPath,
	"template": measureTemplate,
	"when":     measureWhen,
}

// bench times the rows of one language.
func bench(language string, library *Library, rows []Row, out io.Writer) error {
	measure, ok := benchmarks[language]
	if !ok {
		return fmt.Errorf("no benchmarks for %q", language)
	}
	for _, row := range rows {
		c, err := newCase(library, row)
		if err != nil {
			return err
		}
		if c.text("language") != language {
			continue
		}
		name := c.text("name")
		m, err := measure(c)
		if err == nil {
			err = c.err
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		compile, err := nanoseconds(m.compile)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		eval, err := nanoseconds(m.eval)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		result := Row{{"name", marshal(name)}, {"compile_ns", marshal(compile)}, {"eval_ns", marshal(eval)}}
		if _, err := fmt.Fprintln(out, result); err != nil {
			return err
		}
	}
	return nil
}

// nanoseconds is the processor time of one call, from as many as take a while.
func nanoseconds(work func() error) (int64, error) {
	const while = 50 * time.Millisecond
	for count := 1; ; count *= 2 {
		begin := processorTime()
		for range count {
			if err := work(); err != nil {
				return 0, err
			}
		}
		if spent := processorTime() - begin; spent >= while {
			return spent.Nanoseconds() / int64(count), nil
		}
	}
}

func processorTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func measureExpr(c *Case) (measured, error) {
	text, env := c.source(), environment(c.variables())
	program, err := expr.Compile(text, expr.Env(env))
	return measured{
		compile: func() error { _, err := expr.Compile(text, expr.Env(env)); return err },
		eval:    func() error { _, err := expr.Run(program, env); return err },
	}, err
}

func measureWhen(c *Case) (measured, error) {
	text := c.source()
	expression, err := compileWhen(text, false)
	return measured{
		compile: func() error { _, err := compileWhen(text, false); return err },
		eval:    func() error { _, err := expression.Evaluate(nil); return err },
	}, err
}

func measureJQ(c *Case) (measured, error) {
	text := c.source()
	var document any
	c.decode("with", c.document(), &document)
	query, err := gojq.Parse(text)
	return measured{
		compile: func() error { _, err := gojq.Parse(text); return err },
		eval:    func() error { return drain(query.Run(document)) },
	}, err
}

func drain(results gojq.Iter) error {
	for v, ok := results.Next(); ok; v, ok = results.Next() {
		if err, failed := v.(error); failed {
			return err
		}
	}
	return nil
}

func measureJSONPath(c *Case) (measured, error) {
	text := c.source()
	var document any
	c.decode("with", c.document(), &document)
	selector, err := jsonpath.Compile(text)
	return measured{
		compile: func() error { _, err := jsonpath.Compile(text); return err },
		eval:    func() error { _, err := selector.Query(document); return err },
	}, err
}

// measureTemplate takes a text of "copies" times "in", each made "length" long with dots. The original parses a text
// every time it substitutes, so eval has that in it.
func measureTemplate(c *Case) (measured, error) {
	in, variables := c.source(), c.variables()
	var copies, length int
	c.read("copies", &copies)
	c.read("length", &length)
	one := in + strings.Repeat(".", max(0, length-len(in)))
	text, err := json.Marshal(strings.Repeat(one, max(1, copies)))
	s := c.substitution()
	return measured{
		compile: func() error { _, err := fasttemplate.NewTemplate(string(text), "{{", "}}"); return err },
		eval:    func() error { _, err := s.replaceJSON(string(text), variables); return err },
	}, err
}
