package main

import (
	"fmt"
	"strings"

	"github.com/Knetic/govaluate"
)

// evalWhen decides `when` of steps and tasks, in which bare words are strings; with "cron" that of cron workflows, in
// which they are variables without a value.
func evalWhen(c *Case) (Result, error) {
	text, cron := c.source(), c.flag("cron")
	if text == "" {
		return describe(true), nil
	}
	expression, err := compileWhen(text, cron)
	if err != nil {
		return Result{}, err
	}
	v, err := expression.Evaluate(nil)
	if err != nil && !cron {
		err = fmt.Errorf("Failed to evaluate 'when' expresion '%s': %v", text, err)
	}
	if err != nil {
		return Result{}, err
	}
	if _, ok := v.(bool); !ok {
		return Result{}, fmt.Errorf("Expected boolean evaluation for '%s'. Got %v", text, v)
	}
	return describe(v), nil
}

func compileWhen(text string, cron bool) (*govaluate.EvaluableExpression, error) {
	expression, err := govaluate.NewEvaluableExpression(text)
	switch {
	case cron:
		return expression, err
	case err == nil:
		return wordsAsStrings(expression)
	case strings.Contains(err.Error(), "Invalid token"):
		return nil, fmt.Errorf("Invalid 'when' expression '%s': %v (hint: try wrapping the affected expression in quotes (\"))", text, err)
	}
	return nil, fmt.Errorf("Invalid 'when' expression '%s': %v", text, err)
}

func wordsAsStrings(expression *govaluate.EvaluableExpression) (*govaluate.EvaluableExpression, error) {
	tokens := expression.Tokens()
	for i := range tokens {
		if tokens[i].Kind == govaluate.VARIABLE {
			tokens[i].Kind = govaluate.STRING
		}
	}
	words, err := govaluate.NewEvaluableExpressionFromTokens(tokens)
	if err != nil {
		return nil, fmt.Errorf("Failed to parse 'when' expression '%s': %v", expression, err)
	}
	return words, nil
}
