// Command promql-oracle answers what Prometheus's own parser, printer and engine make of queries, one JSON object a line.
//
// `inputs FILE…` prints all string literals of the given Go test files that look like inputs of a table.
// `parse` reads {"expr", "options"} and prints {"error", "string", "pretty", "ast", "tokens"}.
// `eval FILE` loads a file of the test language, reads queries and prints their results.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch args[0] {
	case "inputs":
		return printInputs(args[1:])
	case "parse":
		return answerLines(func(req parseRequest) any { return answerParse(req) })
	case "eval":
		evaluator, err := newEvaluator(args[1])
		if err != nil {
			return err
		}
		return answerLines(func(req evalRequest) any { return evaluator.answer(req) })
	}
	return fmt.Errorf("command %q, want inputs, parse or eval", args[0])
}

func answerLines[R any](answer func(R) any) error {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<24)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for in.Scan() {
		var req R
		if err := json.Unmarshal(in.Bytes(), &req); err != nil {
			return err
		}
		if err := json.NewEncoder(out).Encode(answer(req)); err != nil {
			return err
		}
	}
	return in.Err()
}
