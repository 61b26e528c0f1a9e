#!/usr/bin/env bash
# A Kubernetes node as one process tree: the first process of its own mount, network, PID and UTS namespaces.
# Killing that process ends everything below it, and the host's /etc, /var, /run and iptables were never touched.
#
#   node.sh outer   first process; still in the host's network: forwards the two ports, then enters its own network
#   node.sh inner   same process; own network: container runtime, kubelet, kube-proxy, restarted when they end
#
# From the environment: PATH with the pinned tools first, STATE and LOGS (folders on the host), NODE_ADDRESS,
# HOST_ADDRESS, HTTP_PORT, HTTPS_PORT. node.py starts this and plugs in the network cable.
set -euo pipefail

outer() {
    modprobe --quiet --all overlay br_netfilter || true # built into some kernels; what matters is checked below
    forward "$HTTP_PORT" 80
    forward "$HTTPS_PORT" 443
    exec unshare --net --uts -- bash "${BASH_SOURCE[0]}" inner
}

forward() {
    socat "TCP-LISTEN:$1,bind=127.0.0.1,fork,reuseaddr" "TCP:$NODE_ADDRESS:$2" &
}

inner() {
    hostname node1
    own_folders
    own_settings
    network
    supervise containerd containerd --config /run/node/containerd.toml
    # kubeadm writes what the kubelet and kube-proxy wait for.
    supervise kubelet kubelet_when_configured
    supervise kube-proxy kube_proxy_when_configured
    wait
}

# The node writes to /etc, /var and /run as a machine of its own would: on top of the host's files, never into them.
own_folders() {
    mount --make-rshared /
    mount -t tmpfs tmpfs /run
    mkdir -p /run/node /run/logs /run/lock
    mount --bind "$STATE" /run/node
    mount --bind "$LOGS" /run/logs
    for folder in etc var; do
        mkdir -p "/run/node/$folder/upper" "/run/node/$folder/work"
        mount -t overlay overlay -o "lowerdir=/$folder,upperdir=/run/node/$folder/upper,workdir=/run/node/$folder/work" "/$folder"
    done
    # An overlay can't carry the container runtime's own overlays.
    for folder in /var/lib/containerd /var/lib/kubelet; do
        mkdir -p "/run/node$folder" "$folder"
        mount --bind "/run/node$folder" "$folder"
    done
    mkdir -p /etc/cni/net.d /var/log
    cp /run/node/cni.conflist /etc/cni/net.d/10-chatapp.conflist
    echo "$NODE_ADDRESS node1" >>/etc/hosts
}

# The kubelet would set these for the whole machine; here it finds them set, in files that only the node sees.
own_settings() {
    mkdir /run/settings
    local setting file
    for setting in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 \
        kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
        file=/run/settings/$(basename "${setting%=*}")
        echo "${setting#*=}" >"$file"
        mount --bind "$file" "/proc/sys/${setting%=*}"
    done
}

network() {
    # Without it, answers between pods on one bridge bypass the translation of Service addresses.
    if [ ! -e /proc/sys/net/bridge/bridge-nf-call-iptables ]; then
        echo "this kernel has no br_netfilter, which Kubernetes needs" >&2
        exit 1
    fi
    ip link set lo up
    until ip link show eth0 &>/dev/null; do sleep 0.05; done # the cable
    ip address add "$NODE_ADDRESS/30" dev eth0
    ip link set eth0 up
    ip route add default via "$HOST_ADDRESS"
    echo 1 >/proc/sys/net/ipv4/ip_forward
    echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables
}

supervise() {
    local name=$1
    shift
    (while true; do
        "$@" >>"/run/logs/$name.log" 2>&1 || true
        sleep 1
    done) &
}

kubelet_when_configured() {
    until [ -s /var/lib/kubelet/config.yaml ]; do sleep 0.1; done
    kubelet --config=/var/lib/kubelet/config.yaml --kubeconfig=/etc/kubernetes/kubelet.conf \
        --bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf
}

kube_proxy_when_configured() {
    until [ -s /etc/kubernetes/admin.conf ]; do sleep 0.1; done
    kube-proxy --config=/run/node/kube-proxy.yaml
}

"$1"
