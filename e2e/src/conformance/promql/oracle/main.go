// Command oracle answers what Prometheus's own parser and printer make of queries, one JSON object a line.
//
// `oracle inputs FILE…` prints all string literals of the given Go test files that look like inputs of a table.
// `oracle parse` reads {"expr", "options"} and prints {"error", "string", "pretty", "ast", "tokens"}.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"go/ast"
	goparser "go/parser"
	"go/token"
	"os"
	"strconv"

	"github.com/prometheus/prometheus/promql/parser"
	v1 "github.com/prometheus/prometheus/web/api/v1"
)

type request struct {
	Expr    string         `json:"expr"`
	Options parser.Options `json:"options"`
}

type lexed struct {
	Pos int    `json:"pos"`
	Val string `json:"val"`
}

type answer struct {
	Error  string  `json:"error"`
	String string  `json:"string"`
	Pretty string  `json:"pretty"`
	AST    any     `json:"ast"`
	Tokens []lexed `json:"tokens"`
}

func main() {
	var err error
	if os.Args[1] == "inputs" {
		err = printInputs(os.Args[2:])
	} else {
		err = answerAll()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// printInputs prints the values of fields and map keys that tables of tests give their inputs by.
func printInputs(files []string) error {
	names := map[string]bool{"input": true, "in": true, "out": true, "expr": true, "expected": true}
	var found []string
	for _, file := range files {
		tree, err := goparser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(tree, func(node ast.Node) bool {
			pair, ok := node.(*ast.KeyValueExpr)
			if !ok {
				return true
			}
			name, isName := pair.Key.(*ast.Ident)
			literal, isLiteral := pair.Value.(*ast.BasicLit)
			if isName && isLiteral && names[name.Name] && literal.Kind == token.STRING {
				if text, err := strconv.Unquote(literal.Value); err == nil {
					found = append(found, text)
				}
			}
			return true
		})
	}
	return json.NewEncoder(os.Stdout).Encode(found)
}

func answerAll() error {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<24)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for in.Scan() {
		var req request
		if err := json.Unmarshal(in.Bytes(), &req); err != nil {
			return err
		}
		if err := json.NewEncoder(out).Encode(answerOne(req)); err != nil {
			return err
		}
	}
	return in.Err()
}

func answerOne(req request) answer {
	tokens := tokensOf(req.Expr)
	expr, err := parser.NewParser(req.Options).ParseExpr(req.Expr)
	if err != nil {
		return answer{Error: err.Error(), Tokens: tokens}
	}
	return answer{
		String: expr.String(),
		Pretty: parser.Prettify(expr),
		AST:    v1.TranslateAST(expr),
		Tokens: tokens,
	}
}

// tokensOf stops at the first error, whose text is that of the parse.
func tokensOf(text string) []lexed {
	lexer := parser.Lex(text)
	var found []lexed
	for {
		var item parser.Item
		lexer.NextItem(&item)
		if item.Typ == parser.EOF || item.Typ == parser.ERROR {
			return found
		}
		found = append(found, lexed{int(item.Pos), item.Val})
	}
}
