// Command cadvisor serves /metrics of cAdvisor's own manager and collectors, as the kubelet of the same version has them: the module
// of its own command is not published. Argument: the address to listen on.
package main

import (
	"log"
	"net/http"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"k8s.io/utils/clock"

	"github.com/google/cadvisor/cache/memory"
	"github.com/google/cadvisor/container"
	v2 "github.com/google/cadvisor/info/v2"
	"github.com/google/cadvisor/manager"
	"github.com/google/cadvisor/metrics"
	"github.com/google/cadvisor/utils/sysfs"
)

func main() {
	interval, isDynamic := time.Second, false
	housekeeping := manager.HousekeepingConfig{Interval: &interval, AllowDynamic: &isDynamic}
	// These ask for rights and events of the kernel that few machines give.
	included := container.AllMetrics.Difference(container.MetricSet{
		container.PerfMetrics: {}, container.ResctrlMetrics: {}, container.ReferencedMemoryMetrics: {},
	})
	cache := memory.New(2*time.Minute, nil)
	containers, err := manager.New(
		cache, sysfs.NewRealSysFs(), housekeeping, included, http.DefaultClient, []string{"/"}, nil, "", 0)
	if err != nil {
		log.Fatal(err)
	}
	if err := containers.Start(); err != nil {
		log.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		metrics.NewPrometheusMachineCollector(containers, included),
		metrics.NewPrometheusCollector(
			containers, metrics.DefaultContainerLabels, included, clock.RealClock{},
			v2.RequestOptions{IdType: v2.TypeName, Count: 1, Recursive: true}),
	)
	http.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true}))
	log.Fatal(http.ListenAndServe(os.Args[1], nil))
}
