// Command relabel-oracle runs Prometheus's own relabeling: for each line {"labels", "rules", "scheme"}, the rules as YAML
// as a file has them, it prints {"error"} of the first rule that is refused, {"dropped"}, or {"labels"}.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v2"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/relabel"
)

type request struct {
	Labels map[string]string
	Rules  json.RawMessage
	Scheme string
}

type answer struct {
	Error   string            `json:"error,omitempty"`
	Dropped bool              `json:"dropped,omitempty"`
	Labels  map[string]string `json:"labels,omitempty"`
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<24)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for in.Scan() {
		var req request
		if err := json.Unmarshal(in.Bytes(), &req); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		if err := json.NewEncoder(out).Encode(answerOf(req)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

func answerOf(req request) answer {
	var rules []*relabel.Config
	// JSON is YAML.
	if err := yaml.UnmarshalStrict(req.Rules, &rules); err != nil {
		return answer{Error: err.Error()}
	}
	scheme := model.UTF8Validation
	if req.Scheme == "legacy" {
		scheme = model.LegacyValidation
	}
	for _, rule := range rules {
		if err := rule.Validate(scheme); err != nil {
			return answer{Error: err.Error()}
		}
	}
	builder := labels.NewBuilder(labels.FromMap(req.Labels))
	if !relabel.ProcessBuilder(builder, rules...) {
		return answer{Dropped: true}
	}
	return answer{Labels: builder.Labels().Map()}
}
