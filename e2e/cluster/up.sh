#!/usr/bin/env bash
# Starts a Kubernetes cluster and prints the path of its kubeconfig.
# Usage: up.sh STATE_DIR      (run again: prints the path if the cluster runs, makes a new one if not)
# Environment: BIN  directory that build.sh filled (default: bin/ beside this script)
#              NODES  how many nodes, 1 to 8 (default 1); the first carries the control plane, too
#              NODE_LOSS  seconds until a silent node is NotReady, and again until its pods are evicted, where they
#                         don't say otherwise (default: 10; with one node as Kubernetes has it, 50 and 300)
#              APISERVER_ARGS, CONTROLLER_MANAGER_ARGS  more flags of these two (an audit log, a feature gate)
#              DNS_UPSTREAM  resolver for names outside the cluster (default: none, they don't exist)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"
[ $# = 1 ] || die "usage: up.sh STATE_DIR"
STATE=$(realpath -m "$1")
BIN=$(realpath -m "${BIN:-$here/bin}")
PATH=$BIN:$PATH:/usr/sbin:/sbin # kubectl of the server's version comes first

# --- already there, or left over
if running; then
  [ "${NODES:-$(<"$STATE/nodes")}" = "$(<"$STATE/nodes")" ] || die "$STATE has a cluster of $(<"$STATE/nodes") nodes: run down.sh first"
  kubectl --kubeconfig "$STATE/kubeconfig" get --raw /readyz --request-timeout=5s >/dev/null 2>&1 ||
    die "the cluster in $STATE runs but does not answer; see $STATE/node-1/log, or run down.sh"
  echo "$STATE/kubeconfig"
  exit 0
fi
if [ -e "$STATE/.e2e-cluster" ]; then
  "$here/down.sh" "$STATE"
elif [ -e "$STATE" ] && [ -n "$(ls -A "$STATE")" ]; then
  die "$STATE exists, is not empty and is not a cluster's state"
fi

# --- prerequisites
NODES=${NODES:-1}
[[ $NODES =~ ^[1-8]$ ]] || die "NODES must be 1 to 8"
[ "$NODES" = 1 ] || NODE_LOSS=${NODE_LOSS:-10}
[[ ${NODE_LOSS:-10} =~ ^[0-9]+$ ]] && [ "${NODE_LOSS:-10}" -ge 5 ] || die "NODE_LOSS must be at least 5"
[ "$(id -u)" = 0 ] || die "must run as root"
for c in containerd ctr runc ip nft nsenter unshare openssl curl jq; do
  command -v $c >/dev/null || die "$c is not installed (README.md names the packages)"
done
[ -x /usr/lib/cni/ptp ] || die "/usr/lib/cni/ptp is not installed (containernetworking-plugins)"
for c in etcd kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kubectl coredns pause.tar; do
  [ -e "$BIN/$c" ] || die "$BIN/$c is missing: run build.sh, or set BIN"
done
[ ! -e /sys/fs/cgroup/cgroup.controllers ] && [ -n "$(cgroup_dirs "")" ] || die "no cgroup v1 hierarchies in /sys/fs/cgroup"

mkdir -p "$STATE"/{pki,conf,volumes}
touch "$STATE/.e2e-cluster"
echo "$NODES" >"$STATE/nodes"
trap '[ $? = 0 ] || echo "up.sh failed; logs are in $STATE/node-*/log; down.sh $STATE removes the rest" >&2' EXIT

# --- a free slot: it numbers the links, the addresses and the cgroups; the first node's link holds it
for SLOT in $(seq 0 200); do
  ip link add "fle2e$SLOT" type veth peer name "fle2e${SLOT}n" 2>/dev/null && break
  [ "$SLOT" != 200 ] || die "no veth link can be made"
done
echo "$SLOT" >"$STATE/slot"
for r in 10.201.0.0/16 10.202.0.0/16 10.203.0.0/16; do ip route replace unreachable "$r"; done # nothing for a cluster that is gone leaves this machine

# start NAME COMMAND...
start() {
  local name=$1; shift
  printf '%q ' exec env -i PATH="$PATH" HOME=/root KUBECONFIG="$STATE/kubeconfig" "$@" >"$DIR/$name.cmd"
  echo "$name" >>"$DIR/order"
  launch "$name"
}
# The same for what a kubelet would start again as a static pod. Both elect a leader although each is alone: as in any cluster they end
# with the API server and begin anew, where old informers would wait up to a minute for their next try and see no lease of a node renewed.
start_kept() {
  local name=$1; shift
  { echo 'while :; do'; printf '%q ' env -i PATH="$PATH" HOME=/root KUBECONFIG="$STATE/kubeconfig" "$@"; echo; echo 'sleep 1; done'; } >"$DIR/$name.cmd"
  echo "$name" >>"$DIR/order"
  launch "$name"
}

# --- the nodes' namespaces; containerd (and etcd) start while the certificates are made
for n in $(nodes); do
  at "$n"
  [ "$n" = 1 ] || ip link add "$LINK" type veth peer name "${LINK}n"
  plug
  boot
  say "namespaces up: $NODE $NODE_IP, this machine $HOST_IP, pods $PODS"
  [ "$n" != 1 ] || start etcd "$BIN/etcd" --name e2e --data-dir "$DIR/etcd" --unsafe-no-fsync \
    --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
    --listen-metrics-urls "http://$NODE_IP:2381" --listen-peer-urls http://127.0.0.1:2380 --initial-advertise-peer-urls http://127.0.0.1:2380 \
    --initial-cluster e2e=http://127.0.0.1:2380

  mkdir -p "$DIR/conf/cni"
  cat >"$DIR/conf/containerd.toml" <<EOF
version = 2
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper"]
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$DIR/conf/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
EOF
  cat >"$DIR/conf/cni/10-e2e.conflist" <<EOF
{"cniVersion": "0.4.0", "name": "e2e", "plugins": [
  {"type": "ptp", "ipMasq": false,
   "ipam": {"type": "host-local", "dataDir": "/run/cni-ipam", "ranges": [[{"subnet": "$PODS"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
EOF
  start containerd containerd --config "$DIR/conf/containerd.toml"
done

# --- certificates
at 1; node_runs
cd "$STATE/pki"
key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"; }
ca() { key "$1"; openssl req -x509 -new -key "$1.key" -subj "/CN=$2" -days 365 -out "$1.crt" \
  -addext keyUsage=critical,keyCertSign,cRLSign,digitalSignature; }
# cert NAME CA SUBJECT [SUBJECT_ALT_NAMES]
cert() {
  key "$1"
  openssl req -new -key "$1.key" -subj "$3" | openssl x509 -req -CA "$2.crt" -CAkey "$2.key" -CAcreateserial -days 365 -out "$1.crt" \
    -extfile <(echo "keyUsage=critical,digitalSignature"; echo "extendedKeyUsage=serverAuth,clientAuth"; echo "basicConstraints=CA:FALSE"; [ -z "${4:-}" ] || echo "subjectAltName=$4") 2>/dev/null
}
(umask 077
ca ca e2e-ca
ca front-proxy-ca e2e-front-proxy-ca
cert apiserver ca /CN=kube-apiserver "DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local,DNS:localhost,IP:127.0.0.1,IP:$NODE_IP,IP:$API_SVC"
cert apiserver-kubelet-client ca /CN=kube-apiserver-kubelet-client
cert front-proxy-client front-proxy-ca /CN=front-proxy-client
cert admin ca /O=system:masters/CN=e2e-admin
cert controller-manager ca /CN=system:kube-controller-manager
cert scheduler ca /CN=system:kube-scheduler
cert proxy ca /CN=system:kube-proxy
cert coredns ca /CN=system:coredns
key sa
openssl ec -in sa.key -pubout -out sa.pub 2>/dev/null
for n in $(nodes); do
  at "$n"
  cert "kubelet-server-$n" ca "/CN=$NODE" "DNS:$NODE,IP:$NODE_IP"
  cert "kubelet-$n" ca "/O=system:nodes/CN=system:node:$NODE"
done)

kubeconfig() { # FILE CERT
  cat >"$1" <<EOF
apiVersion: v1
kind: Config
current-context: e2e
contexts: [{name: e2e, context: {cluster: e2e, user: e2e}}]
clusters: [{name: e2e, cluster: {server: "$API", certificate-authority-data: $(base64 -w0 ca.crt)}}]
users: [{name: e2e, user: {client-certificate-data: $(base64 -w0 "$2.crt"), client-key-data: $(base64 -w0 "$2.key")}}]
EOF
  chmod 600 "$1"
}
kubeconfig "$STATE/kubeconfig" admin
for c in controller-manager scheduler proxy coredns; do kubeconfig "$STATE/conf/$c.kubeconfig" $c; done
for n in $(nodes); do kubeconfig "$STATE/node-$n/conf/kubelet.kubeconfig" "kubelet-$n"; done
export KUBECONFIG=$STATE/kubeconfig
PKI=$STATE/pki CONF=$STATE/conf
cd "$here"
say "certificates made"

# --- control plane
wait_for 30 etcd "etcd ready" ready etcd
start apiserver "$BIN/kube-apiserver" --advertise-address "$NODE_IP" --secure-port 6443 --etcd-servers http://127.0.0.1:2379 \
  --service-cluster-ip-range "$SERVICES" --allow-privileged --authorization-mode Node,RBAC --enable-admission-plugins NodeRestriction \
  --service-account-issuer https://kubernetes.default.svc.cluster.local --service-account-key-file "$PKI/sa.pub" --service-account-signing-key-file "$PKI/sa.key" \
  --client-ca-file "$PKI/ca.crt" --tls-cert-file "$PKI/apiserver.crt" --tls-private-key-file "$PKI/apiserver.key" \
  --kubelet-certificate-authority "$PKI/ca.crt" --kubelet-client-certificate "$PKI/apiserver-kubelet-client.crt" --kubelet-client-key "$PKI/apiserver-kubelet-client.key" \
  --kubelet-preferred-address-types InternalIP \
  --requestheader-client-ca-file "$PKI/front-proxy-ca.crt" --requestheader-allowed-names front-proxy-client --requestheader-username-headers X-Remote-User \
  --requestheader-group-headers X-Remote-Group --requestheader-extra-headers-prefix X-Remote-Extra- \
  --proxy-client-cert-file "$PKI/front-proxy-client.crt" --proxy-client-key-file "$PKI/front-proxy-client.key" \
  ${NODE_LOSS:+--default-not-ready-toleration-seconds $NODE_LOSS --default-unreachable-toleration-seconds $NODE_LOSS} ${APISERVER_ARGS:-}
for n in $(nodes); do
  at "$n"; node_runs
  wait_for 30 containerd "containerd of $NODE ready" ready containerd
  in_node ctr -n k8s.io images import "$BIN/pause.tar" >/dev/null
done
at 1; node_runs
wait_for 90 apiserver "API server ready" ready apiserver

start_kept controller-manager "$BIN/kube-controller-manager" --kubeconfig "$CONF/controller-manager.kubeconfig" \
  --authentication-kubeconfig "$CONF/controller-manager.kubeconfig" --authorization-kubeconfig "$CONF/controller-manager.kubeconfig" \
  --kube-api-qps 500 --kube-api-burst 1000 --use-service-account-credentials --service-account-private-key-file "$PKI/sa.key" --root-ca-file "$PKI/ca.crt" \
  --cluster-signing-cert-file "$PKI/ca.crt" --cluster-signing-key-file "$PKI/ca.key" --requestheader-client-ca-file "$PKI/front-proxy-ca.crt" \
  ${NODE_LOSS:+--node-monitor-grace-period ${NODE_LOSS}s --node-monitor-period 1s} ${CONTROLLER_MANAGER_ARGS:-}
start_kept scheduler "$BIN/kube-scheduler" --kubeconfig "$CONF/scheduler.kubeconfig" --kube-api-qps 500 --kube-api-burst 1000 \
  --authentication-kubeconfig "$CONF/scheduler.kubeconfig" --authorization-kubeconfig "$CONF/scheduler.kubeconfig"

# --- nodes: kubelet, kube-proxy
: >"$CONF/resolv.conf"
ZONES=(zone-a zone-b zone-c)
for n in $(nodes); do
  at "$n"; node_runs
  cat >"$DIR/conf/kubelet.yaml" <<EOF
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $NODE_IP
readOnlyPort: 0
authentication: {anonymous: {enabled: false}, webhook: {enabled: true, cacheTTL: 5s}, x509: {clientCAFile: "$PKI/ca.crt"}}
authorization: {mode: Webhook, webhook: {cacheAuthorizedTTL: 5s, cacheUnauthorizedTTL: 5s}}
tlsCertFile: $PKI/kubelet-server-$n.crt
tlsPrivateKeyFile: $PKI/kubelet-server-$n.key
clusterDomain: cluster.local
clusterDNS: ["$DNS_SVC"]
resolvConf: $CONF/resolv.conf
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
cgroupDriver: cgroupfs
cgroupRoot: /$LINK
failCgroupV1: false
failSwapOn: false
enforceNodeAllocatable: []
maxOpenFiles: $(ulimit -Hn)
maxPods: $((MAX_PODS < 110 ? MAX_PODS : 110))
${NODE_LOSS:+nodeLeaseDurationSeconds: $((NODE_LOSS * 4 / 5))} # renewed four times as often
imageGCHighThresholdPercent: 100
evictionHard: {imagefs.available: 1%, nodefs.available: 1%, memory.available: 50Mi}
EOF
  start kubelet "$BIN/kubelet" --config "$DIR/conf/kubelet.yaml" --kubeconfig "$DIR/conf/kubelet.kubeconfig" --hostname-override "$NODE" --node-ip "$NODE_IP" \
    --node-labels "topology.kubernetes.io/zone=${ZONES[(n - 1) % 3]}"
  cat >"$DIR/conf/proxy.yaml" <<EOF
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: nftables
clientConnection: {kubeconfig: "$CONF/proxy.kubeconfig"}
hostnameOverride: $NODE
clusterCIDR: $ALL_PODS
detectLocalMode: ClusterCIDR
healthzBindAddress: 127.0.0.1:10256
metricsBindAddress: 127.0.0.1:10249
nodePortAddresses: ["$NODE_IP/32"]
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
nftables: {minSyncPeriod: 200ms}
EOF
  start proxy "$BIN/kube-proxy" --config "$DIR/conf/proxy.yaml"
done
at 1; node_runs

# --- what kubeadm would add: RBAC, DNS, storage
cat >"$CONF/dns-hosts" <<EOF
$HOST_IP host.e2e.test
EOF
outside="template ANY ANY {
    rcode NXDOMAIN
  }"
[ -z "${DNS_UPSTREAM:-}" ] || outside="forward . $DNS_UPSTREAM"
cat >"$CONF/Corefile" <<EOF
cluster.local in-addr.arpa ip6.arpa {
  bind $NODE_IP
  errors
  health 127.0.0.1:8080
  ready 127.0.0.1:8181
  cache 5 {
    denial 9984 1
  }
  kubernetes cluster.local in-addr.arpa ip6.arpa {
    kubeconfig $CONF/coredns.kubeconfig
    pods insecure
    ttl 5
  }
}
e2e.test {
  bind $NODE_IP
  errors
  hosts $CONF/dns-hosts {
    reload 1s
    ttl 1
  }
}
. {
  bind $NODE_IP
  errors
  $outside
}
EOF
sed -e "s#@NODE@#$NODE#g; s#@NODE_IP@#$NODE_IP#g; s#@DNS_SVC@#$DNS_SVC#g" "$here/node/base.yaml" | kubectl apply --server-side -f - >/dev/null
start coredns "$BIN/coredns" -conf "$CONF/Corefile"
start provisioner "$here/node/provisioner.sh" "$STATE/volumes"
wait_for 30 coredns "CoreDNS ready" ready coredns
wait_for 30 controller-manager "root CA and default service account published" kubectl -n default get configmap/kube-root-ca.crt serviceaccount/default
for n in $(nodes); do
  at "$n"; node_runs
  wait_for 60 kubelet "$NODE Ready" kubectl wait --for=condition=Ready "node/$NODE" --timeout=1s
  wait_for 30 proxy "kube-proxy of $NODE ready" ready proxy
done
say "cluster ready"
echo "$STATE/kubeconfig"
