package main

import (
	"context"
	"os"
	"strconv"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"
)

type evalRequest struct {
	Expr    string `json:"expr"`
	StartMs int64  `json:"startMs"`
	EndMs   int64  `json:"endMs"`
	// 0 for an instant query.
	StepMs int64 `json:"stepMs"`
	// Whether names go when the query ends, rather than at once.
	Delayed bool `json:"delayed"`
}

type evalAnswer struct {
	Error    string       `json:"error"`
	Type     string       `json:"type"`
	Series   []evalSeries `json:"series"`
	Warnings []string     `json:"warnings"`
	Infos    []string     `json:"infos"`
}

type evalSeries struct {
	Labels     map[string]string `json:"labels"`
	Floats     []evalFloat       `json:"floats"`
	Histograms []evalHistogram   `json:"histograms"`
}

// Numbers are text, since JSON has neither NaN nor Inf.
type evalFloat struct {
	TimeMs int64  `json:"timeMs"`
	Value  string `json:"value"`
}

type evalHistogram struct {
	TimeMs  int64       `json:"timeMs"`
	Schema  int32       `json:"schema"`
	Count   string      `json:"count"`
	Sum     string      `json:"sum"`
	Buckets [][3]string `json:"buckets"`
}

type evaluator struct {
	storage storage.Queryable
	engines map[bool]*promql.Engine
}

func newEvaluator(file string) (*evaluator, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	loader, err := promqltest.NewLazyLoader(string(text), promqltest.LazyLoaderOpts{})
	if err != nil {
		return nil, err
	}
	loader.WithSamplesTill(time.Unix(1<<40, 0), func(e error) { err = e })
	if err != nil {
		return nil, err
	}
	engines := map[bool]*promql.Engine{false: newEngine(false), true: newEngine(true)}
	return &evaluator{sortedQueryable{loader.Queryable()}, engines}, nil
}

// sortedQueryable gives series by labels, as blocks do. A head gives them in the order of their creation, which the
// loader leaves to chance; it shows in sums and in errors.
type sortedQueryable struct{ storage.Queryable }

type sortedQuerier struct{ storage.Querier }

func (q sortedQueryable) Querier(mint, maxt int64) (storage.Querier, error) {
	querier, err := q.Queryable.Querier(mint, maxt)
	return sortedQuerier{querier}, err
}

func (q sortedQuerier) Select(ctx context.Context, _ bool, hints *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	return q.Querier.Select(ctx, true, hints, matchers...)
}

func newEngine(delayed bool) *promql.Engine {
	return promql.NewEngine(promql.EngineOpts{
		MaxSamples:               50_000_000,
		Timeout:                  time.Minute,
		NoStepSubqueryIntervalFn: func(int64) int64 { return 60_000 },
		EnableAtModifier:         true,
		EnableNegativeOffset:     true,
		EnableDelayedNameRemoval: delayed,
		Parser: parser.NewParser(parser.Options{
			EnableExperimentalFunctions:  true,
			ExperimentalDurationExpr:     true,
			EnableExtendedRangeSelectors: true,
			EnableBinopFillModifiers:     true,
		}),
	})
}

func (e *evaluator) answer(req evalRequest) evalAnswer {
	ctx := context.Background()
	query, err := e.newQuery(ctx, req)
	if err != nil {
		return evalAnswer{Error: err.Error()}
	}
	defer query.Close()
	result := query.Exec(ctx)
	if result.Err != nil {
		return evalAnswer{Error: result.Err.Error()}
	}
	answer := evalAnswer{Type: string(result.Value.Type()), Series: seriesOf(result.Value)}
	answer.Warnings, answer.Infos = textsOf(result.Warnings, req.Expr)
	return answer
}

func textsOf(annos annotations.Annotations, expr string) (warnings, infos []string) {
	return annos.AsStrings(expr, 0, 0)
}

func (e *evaluator) newQuery(ctx context.Context, req evalRequest) (promql.Query, error) {
	engine := e.engines[req.Delayed]
	start := time.UnixMilli(req.StartMs)
	if req.StepMs == 0 {
		return engine.NewInstantQuery(ctx, e.storage, nil, req.Expr, start)
	}
	step := time.Duration(req.StepMs) * time.Millisecond
	return engine.NewRangeQuery(ctx, e.storage, nil, req.Expr, start, time.UnixMilli(req.EndMs), step)
}

func seriesOf(value parser.Value) []evalSeries {
	var found []evalSeries
	switch value := value.(type) {
	case promql.Scalar:
		found = append(found, evalSeries{Floats: []evalFloat{{value.T, number(value.V)}}})
	case promql.String:
		found = append(found, evalSeries{Floats: []evalFloat{{value.T, value.V}}})
	case promql.Vector:
		for _, sample := range value {
			one := evalSeries{Labels: sample.Metric.Map()}
			if sample.H != nil {
				one.Histograms = []evalHistogram{histogramOf(sample.T, sample.H)}
			} else {
				one.Floats = []evalFloat{{sample.T, number(sample.F)}}
			}
			found = append(found, one)
		}
	case promql.Matrix:
		for _, series := range value {
			one := evalSeries{Labels: series.Metric.Map()}
			for _, point := range series.Floats {
				one.Floats = append(one.Floats, evalFloat{point.T, number(point.F)})
			}
			for _, point := range series.Histograms {
				one.Histograms = append(one.Histograms, histogramOf(point.T, point.H))
			}
			found = append(found, one)
		}
	}
	return found
}

func histogramOf(timeMs int64, h *histogram.FloatHistogram) evalHistogram {
	one := evalHistogram{TimeMs: timeMs, Schema: h.Schema, Count: number(h.Count), Sum: number(h.Sum)}
	for it := h.AllBucketIterator(); it.Next(); {
		bucket := it.At()
		if bucket.Count != 0 {
			one.Buckets = append(one.Buckets, [3]string{number(bucket.Lower), number(bucket.Upper), number(bucket.Count)})
		}
	}
	return one
}

func number(value float64) string {
	return strconv.FormatFloat(value, 'g', -1, 64)
}
