package v1

import "github.com/prometheus/prometheus/promql/parser"

// TranslateAST lets the oracle see what /api/v1/parse_query answers.
func TranslateAST(node parser.Expr) any { return translateAST(node) }
