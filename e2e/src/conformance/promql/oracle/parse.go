package main

import (
	"encoding/json"
	"go/ast"
	goparser "go/parser"
	"go/token"
	"os"
	"strconv"

	"github.com/prometheus/prometheus/promql/parser"
	v1 "github.com/prometheus/prometheus/web/api/v1"
)

type parseRequest struct {
	Expr    string         `json:"expr"`
	Options parser.Options `json:"options"`
}

type lexed struct {
	Pos int    `json:"pos"`
	Val string `json:"val"`
}

type parseAnswer struct {
	Error  string  `json:"error"`
	String string  `json:"string"`
	Pretty string  `json:"pretty"`
	AST    any     `json:"ast"`
	Tokens []lexed `json:"tokens"`
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

func answerParse(req parseRequest) parseAnswer {
	tokens := tokensOf(req.Expr)
	expr, err := parser.NewParser(req.Options).ParseExpr(req.Expr)
	if err != nil {
		return parseAnswer{Error: err.Error(), Tokens: tokens}
	}
	return parseAnswer{
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
