package main

import "github.com/expr-lang/expr"

// evalExpr compiles and runs an expression in Argo's environment. With "plain", in the variables alone, which is what
// the data of depends, http conditions, event selectors and stop strategies see.
func evalExpr(c *Case) (Result, error) {
	text, env := c.source(), c.variables()
	if !c.flag("plain") {
		env = environment(env)
	}
	program, err := expr.Compile(text, expr.Env(env))
	if err != nil {
		return Result{}, err
	}
	v, err := expr.Run(program, env)
	if err != nil {
		return Result{}, err
	}
	return describe(v), nil
}
